// Generated from proto/headrace/v1/traffic-policy.openapi.yaml by `npm run generate -w @headrace/gateway`. Do not edit.

/**
 * Who callers are, what each may use, and who goes first when there is more than can be served.
 */
export interface TrafficPolicy {
  /**
   * Version of this format; no default.
   */
  apiVersion: 'headrace.dev/v1alpha1';
  /**
   * What the document is; no default.
   */
  kind: 'TrafficPolicy';
  /**
   * Name of the document. Absent, it has none.
   */
  metadata?: {
    /**
     * Name of the policy. Default none.
     */
    name?: string;
    /**
     * Its Kubernetes namespace. Default none.
     */
    namespace?: string;
    /**
     * Kubernetes labels; of no effect here. Default none.
     */
    labels?: {
      [k: string]: string;
    };
    /**
     * Kubernetes annotations; of no effect here. Default none.
     */
    annotations?: {
      [k: string]: string;
    };
  };
  /**
   * Who callers are, what each may use, and who goes first when there is more than can be served. No default.
   */
  spec: {
    /**
     * How a caller is known, each entry exactly one of clientCertificate, jwt, apiKeys and header. Tried in this order; what is proven (certificate, token, key) always wins over a header. Default none, so that all callers are one anonymous tenant.
     *
     * @maxItems 32
     *
     * Items: One source of identity. A tenant's name is case-sensitive, at most 256 characters and free of control characters.
     */
    identity?: {
      /**
       * The tenant is this name in the verified client certificate (mutual TLS), the first one where there are several. No default.
       */
      clientCertificate?: 'uri' | 'dns' | 'commonName';
      /**
       * The tenant is a claim of a signed token, sent as "authorization: Bearer TOKEN". Only asymmetric signatures count, and the token must expire. Needs one of jwksUri and jwksFile.
       */
      jwt?: {
        /**
         * What the claim iss must be, character by character. No default.
         */
        issuer: string;
        /**
         * What the claim aud must be or contain. Absent, tokens for any audience are taken, also those that another service was given.
         */
        audience?: string;
        /**
         * The claim with the tenant's name, a string. Default sub.
         */
        claim?: string;
        /**
         * The claim with the name of a tier, a string; used for tenants that are not listed under tenants. Absent, tokens name no tier.
         */
        tierClaim?: string;
        /**
         * Where the issuer's public keys (JWKS, RFC 7517) are; https, or http on loopback. Read at start, every 5 minutes, and when a token names a key that is not there. No default.
         */
        jwksUri?: string;
        /**
         * A file with the issuer's public keys (JWKS, RFC 7517), read again when it changes. No default.
         */
        jwksFile?: string;
      };
      /**
       * The tenant is whose key was sent.
       */
      apiKeys?: {
        /**
         * YAML file "keys: [{tenant, tier, sha256}]" with the SHA-256 of each key in hexadecimal, never the key; read again when it changes. No default.
         */
        file: string;
        /**
         * The metadata key that carries the key; in authorization it follows the word Bearer. Default authorization.
         */
        header?: string;
      };
      /**
       * The tenant is what this metadata key says, e.g. x-headrace-tenant. Needs trustHeader. No default.
       */
      header?: string;
      /**
       * True says that whoever can reach the gateway may be believed, e.g. because a proxy in front sets the header and drops what clients sent. Default false, with which header is an error.
       */
      trustHeader?: boolean;
    }[];
    /**
     * True refuses callers that no entry of identity knows, with UNAUTHENTICATED. Default false, they are one anonymous tenant of defaultTier.
     */
    requireIdentity?: boolean;
    /**
     * Classes of tenants. Limits hold for each tenant of a tier alone. Default none.
     *
     * @maxItems 1000
     *
     * Items: What each tenant of the tier may use.
     */
    tiers?: {
      /**
       * Unique among the tiers; a metric label. No default.
       */
      name: string;
      /**
       * A tenant's share of the service relative to the others' while there is more than can be served. Without unit; default 1.
       */
      weight?: number;
      /**
       * Requests per second that one tenant may send in the long run. Absent, no limit.
       */
      requestsPerSecond?: number;
      /**
       * Requests that may come at once after a quiet time. Default one second's worth of requestsPerSecond, at least 1. Needs requestsPerSecond.
       */
      burst?: number;
      /**
       * Milliseconds of a model's run time per second that one tenant may use; a request is charged its rows times the model's referenceMilliseconds. Absent, no limit.
       */
      computeMillisecondsPerSecond?: number;
      /**
       * Milliseconds of run time that may be used at once after a quiet time; a request that costs more is never let in. Default one second's worth of computeMillisecondsPerSecond, at least 1. Needs computeMillisecondsPerSecond.
       */
      computeBurstMilliseconds?: number;
      /**
       * Requests of one tenant that may be under way at once, waiting ones included. Absent, no limit.
       */
      concurrency?: number;
      /**
       * Priority of a request that names none; 1 is the highest. Absent, the model's default band, never above maxPriority.
       */
      defaultPriority?: number;
      /**
       * Highest priority that a request may have, 1 being the highest of all. One that asks for more is lowered to this and told so in a trailer. Default 1.
       */
      maxPriority?: number;
      /**
       * Longest time from arrival to reply in milliseconds; a sooner gRPC deadline or timeoutMs of the model wins. Absent, no limit.
       */
      deadlineMilliseconds?: number;
      /**
       * Limits for one model, which hold beside the limits above for all models together. Default none.
       *
       * @maxItems 1000
       *
       * Items: Limits for the requests of one tenant to one model.
       */
      models?: {
        /**
         * The model's name; no default.
         */
        name: string;
        /**
         * Requests per second that one tenant may send in the long run. Absent, no limit.
         */
        requestsPerSecond?: number;
        /**
         * Requests that may come at once after a quiet time. Default one second's worth of requestsPerSecond, at least 1. Needs requestsPerSecond.
         */
        burst?: number;
        /**
         * Milliseconds of a model's run time per second that one tenant may use; a request is charged its rows times the model's referenceMilliseconds. Absent, no limit.
         */
        computeMillisecondsPerSecond?: number;
        /**
         * Milliseconds of run time that may be used at once after a quiet time; a request that costs more is never let in. Default one second's worth of computeMillisecondsPerSecond, at least 1. Needs computeMillisecondsPerSecond.
         */
        computeBurstMilliseconds?: number;
        /**
         * Requests of one tenant that may be under way at once, waiting ones included. Absent, no limit.
         */
        concurrency?: number;
      }[];
    }[];
    /**
     * Tenants with a tier or limits of their own; only these may be a metric label. All others are in the tier that their token or key names, or in defaultTier. Default none.
     *
     * @maxItems 10000
     *
     * Items: A tenant; what is said here wins over its tier, key by key. A burst that is not said follows a rate that is.
     */
    tenants?: {
      /**
       * The tenant's name as its certificate, token, key or header gives it. No default.
       */
      name: string;
      /**
       * Name of its tier. Default defaultTier.
       */
      tier?: string;
      /**
       * A tenant's share of the service relative to the others' while there is more than can be served. Without unit; default 1.
       */
      weight?: number;
      /**
       * Requests per second that one tenant may send in the long run. Absent, no limit.
       */
      requestsPerSecond?: number;
      /**
       * Requests that may come at once after a quiet time. Default one second's worth of requestsPerSecond, at least 1. Needs requestsPerSecond.
       */
      burst?: number;
      /**
       * Milliseconds of a model's run time per second that one tenant may use; a request is charged its rows times the model's referenceMilliseconds. Absent, no limit.
       */
      computeMillisecondsPerSecond?: number;
      /**
       * Milliseconds of run time that may be used at once after a quiet time; a request that costs more is never let in. Default one second's worth of computeMillisecondsPerSecond, at least 1. Needs computeMillisecondsPerSecond.
       */
      computeBurstMilliseconds?: number;
      /**
       * Requests of one tenant that may be under way at once, waiting ones included. Absent, no limit.
       */
      concurrency?: number;
      /**
       * Priority of a request that names none; 1 is the highest. Absent, the model's default band, never above maxPriority.
       */
      defaultPriority?: number;
      /**
       * Highest priority that a request may have, 1 being the highest of all. One that asks for more is lowered to this and told so in a trailer. Default 1.
       */
      maxPriority?: number;
      /**
       * Longest time from arrival to reply in milliseconds; a sooner gRPC deadline or timeoutMs of the model wins. Absent, no limit.
       */
      deadlineMilliseconds?: number;
      /**
       * Limits for one model, which hold beside the limits above for all models together. Default none.
       *
       * @maxItems 1000
       *
       * Items: Limits for the requests of one tenant to one model.
       */
      models?: {
        /**
         * The model's name; no default.
         */
        name: string;
        /**
         * Requests per second that one tenant may send in the long run. Absent, no limit.
         */
        requestsPerSecond?: number;
        /**
         * Requests that may come at once after a quiet time. Default one second's worth of requestsPerSecond, at least 1. Needs requestsPerSecond.
         */
        burst?: number;
        /**
         * Milliseconds of a model's run time per second that one tenant may use; a request is charged its rows times the model's referenceMilliseconds. Absent, no limit.
         */
        computeMillisecondsPerSecond?: number;
        /**
         * Milliseconds of run time that may be used at once after a quiet time; a request that costs more is never let in. Default one second's worth of computeMillisecondsPerSecond, at least 1. Needs computeMillisecondsPerSecond.
         */
        computeBurstMilliseconds?: number;
        /**
         * Requests of one tenant that may be under way at once, waiting ones included. Absent, no limit.
         */
        concurrency?: number;
      }[];
    }[];
    /**
     * Name of the tier of everybody else. Needed where there are tiers; without any, nothing is limited.
     */
    defaultTier?: string;
    /**
     * High priority skips batching, but must not starve the rest.
     */
    bypass?: {
      /**
       * Largest share of a model's execution time, in percent, that requests which skip the lanes may take; a model's priority.bypassMaxSharePercent wins. Default 20.
       */
      maxSharePercent?: number;
    };
    /**
     * Quotas that several gateways count together. Absent, each gateway counts for itself.
     */
    shared?: {
      /**
       * The Redis that holds the count, version 7 or newer.
       */
      redis: {
        /**
         * "host:port" of the server, of the sentinels (with sentinelName) or of nodes of the cluster (with cluster). No default.
         *
         * @minItems 1
         * @maxItems 100
         *
         * Items: "host:port" or "[ipv6]:port"; no default.
         */
        addresses: string[];
        /**
         * Name of the primary that the sentinels watch; makes the addresses those of sentinels. Default none.
         */
        sentinelName?: string;
        /**
         * True, the addresses are nodes of a Redis Cluster. Default false.
         */
        cluster?: boolean;
        /**
         * User for AUTH. Default that of Redis, "default".
         */
        username?: string;
        /**
         * File with the password, read when a connection is opened. Default none, no AUTH.
         */
        passwordFile?: string;
        /**
         * Present, connections are TLS. Default plain TCP.
         */
        tls?: {
          /**
           * PEM of the authorities that may have signed Redis's certificate. Default the system's.
           */
          authorityFile?: string;
          /**
           * Overrides the name that the certificate must carry. Default the address's host.
           */
          serverName?: string;
        };
      };
      /**
       * While Redis cannot be asked, LocalShare, the default, goes on with a bounded share of the limit in each gateway; Refuse refuses with LIMITER_UNAVAILABLE.
       */
      onUnavailable?: 'LocalShare' | 'Refuse';
    };
    /**
     * Enforce, the default, refuses what is above the limits; Shadow counts what it would refuse and refuses nothing.
     */
    mode?: 'Enforce' | 'Shadow';
  };
}

export const trafficPolicySchema: Readonly<Record<string, unknown>> = {
  "type": "object",
  "description": "Who callers are, what each may use, and who goes first when there is more than can be served.",
  "required": [
    "apiVersion",
    "kind",
    "spec"
  ],
  "properties": {
    "apiVersion": {
      "type": "string",
      "description": "Version of this format; no default.",
      "enum": [
        "headrace.dev/v1alpha1"
      ]
    },
    "kind": {
      "type": "string",
      "description": "What the document is; no default.",
      "enum": [
        "TrafficPolicy"
      ]
    },
    "metadata": {
      "type": "object",
      "description": "Name of the document. Absent, it has none.",
      "properties": {
        "name": {
          "type": "string",
          "description": "Name of the policy. Default none.",
          "maxLength": 253
        },
        "namespace": {
          "type": "string",
          "description": "Its Kubernetes namespace. Default none.",
          "maxLength": 63
        },
        "labels": {
          "type": "object",
          "description": "Kubernetes labels; of no effect here. Default none.",
          "additionalProperties": {
            "type": "string"
          }
        },
        "annotations": {
          "type": "object",
          "description": "Kubernetes annotations; of no effect here. Default none.",
          "additionalProperties": {
            "type": "string"
          }
        }
      }
    },
    "spec": {
      "type": "object",
      "description": "Who callers are, what each may use, and who goes first when there is more than can be served. No default.",
      "properties": {
        "identity": {
          "type": "array",
          "description": "How a caller is known, each entry exactly one of clientCertificate, jwt, apiKeys and header. Tried in this order; what is proven (certificate, token, key) always wins over a header. Default none, so that all callers are one anonymous tenant.",
          "maxItems": 32,
          "items": {
            "type": "object",
            "description": "One source of identity. A tenant's name is case-sensitive, at most 256 characters and free of control characters.",
            "properties": {
              "clientCertificate": {
                "type": "string",
                "description": "The tenant is this name in the verified client certificate (mutual TLS), the first one where there are several. No default.",
                "enum": [
                  "uri",
                  "dns",
                  "commonName"
                ]
              },
              "jwt": {
                "type": "object",
                "description": "The tenant is a claim of a signed token, sent as \"authorization: Bearer TOKEN\". Only asymmetric signatures count, and the token must expire. Needs one of jwksUri and jwksFile.",
                "required": [
                  "issuer"
                ],
                "properties": {
                  "issuer": {
                    "type": "string",
                    "description": "What the claim iss must be, character by character. No default.",
                    "minLength": 1,
                    "maxLength": 2048
                  },
                  "audience": {
                    "type": "string",
                    "description": "What the claim aud must be or contain. Absent, tokens for any audience are taken, also those that another service was given.",
                    "minLength": 1,
                    "maxLength": 2048
                  },
                  "claim": {
                    "type": "string",
                    "description": "The claim with the tenant's name, a string. Default sub.",
                    "minLength": 1,
                    "maxLength": 256
                  },
                  "tierClaim": {
                    "type": "string",
                    "description": "The claim with the name of a tier, a string; used for tenants that are not listed under tenants. Absent, tokens name no tier.",
                    "minLength": 1,
                    "maxLength": 256
                  },
                  "jwksUri": {
                    "type": "string",
                    "description": "Where the issuer's public keys (JWKS, RFC 7517) are; https, or http on loopback. Read at start, every 5 minutes, and when a token names a key that is not there. No default.",
                    "minLength": 1,
                    "maxLength": 2048
                  },
                  "jwksFile": {
                    "type": "string",
                    "description": "A file with the issuer's public keys (JWKS, RFC 7517), read again when it changes. No default.",
                    "minLength": 1,
                    "maxLength": 4096
                  }
                }
              },
              "apiKeys": {
                "type": "object",
                "description": "The tenant is whose key was sent.",
                "required": [
                  "file"
                ],
                "properties": {
                  "file": {
                    "type": "string",
                    "description": "YAML file \"keys: [{tenant, tier, sha256}]\" with the SHA-256 of each key in hexadecimal, never the key; read again when it changes. No default.",
                    "minLength": 1,
                    "maxLength": 4096
                  },
                  "header": {
                    "type": "string",
                    "description": "The metadata key that carries the key; in authorization it follows the word Bearer. Default authorization.",
                    "pattern": "^[0-9a-z_.-]{1,128}$"
                  }
                }
              },
              "header": {
                "type": "string",
                "description": "The tenant is what this metadata key says, e.g. x-headrace-tenant. Needs trustHeader. No default.",
                "pattern": "^[0-9a-z_.-]{1,128}$"
              },
              "trustHeader": {
                "type": "boolean",
                "description": "True says that whoever can reach the gateway may be believed, e.g. because a proxy in front sets the header and drops what clients sent. Default false, with which header is an error."
              }
            }
          }
        },
        "requireIdentity": {
          "type": "boolean",
          "description": "True refuses callers that no entry of identity knows, with UNAUTHENTICATED. Default false, they are one anonymous tenant of defaultTier."
        },
        "tiers": {
          "type": "array",
          "description": "Classes of tenants. Limits hold for each tenant of a tier alone. Default none.",
          "maxItems": 1000,
          "items": {
            "type": "object",
            "description": "What each tenant of the tier may use.",
            "required": [
              "name"
            ],
            "properties": {
              "name": {
                "type": "string",
                "description": "Unique among the tiers; a metric label. No default.",
                "pattern": "^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
              },
              "weight": {
                "type": "number",
                "description": "A tenant's share of the service relative to the others' while there is more than can be served. Without unit; default 1.",
                "minimum": 0.01,
                "maximum": 10000
              },
              "requestsPerSecond": {
                "type": "number",
                "description": "Requests per second that one tenant may send in the long run. Absent, no limit.",
                "minimum": 0.001,
                "maximum": 1000000000
              },
              "burst": {
                "type": "number",
                "description": "Requests that may come at once after a quiet time. Default one second's worth of requestsPerSecond, at least 1. Needs requestsPerSecond.",
                "minimum": 1,
                "maximum": 1000000000
              },
              "computeMillisecondsPerSecond": {
                "type": "number",
                "description": "Milliseconds of a model's run time per second that one tenant may use; a request is charged its rows times the model's referenceMilliseconds. Absent, no limit.",
                "minimum": 0.001,
                "maximum": 1000000000
              },
              "computeBurstMilliseconds": {
                "type": "number",
                "description": "Milliseconds of run time that may be used at once after a quiet time; a request that costs more is never let in. Default one second's worth of computeMillisecondsPerSecond, at least 1. Needs computeMillisecondsPerSecond.",
                "minimum": 1,
                "maximum": 1000000000
              },
              "concurrency": {
                "type": "integer",
                "description": "Requests of one tenant that may be under way at once, waiting ones included. Absent, no limit.",
                "minimum": 1,
                "maximum": 10000000
              },
              "defaultPriority": {
                "type": "integer",
                "description": "Priority of a request that names none; 1 is the highest. Absent, the model's default band, never above maxPriority.",
                "minimum": 1,
                "maximum": 4294967295
              },
              "maxPriority": {
                "type": "integer",
                "description": "Highest priority that a request may have, 1 being the highest of all. One that asks for more is lowered to this and told so in a trailer. Default 1.",
                "minimum": 1,
                "maximum": 4294967295
              },
              "deadlineMilliseconds": {
                "type": "number",
                "description": "Longest time from arrival to reply in milliseconds; a sooner gRPC deadline or timeoutMs of the model wins. Absent, no limit.",
                "minimum": 1,
                "maximum": 3600000
              },
              "models": {
                "type": "array",
                "description": "Limits for one model, which hold beside the limits above for all models together. Default none.",
                "maxItems": 1000,
                "items": {
                  "type": "object",
                  "description": "Limits for the requests of one tenant to one model.",
                  "required": [
                    "name"
                  ],
                  "properties": {
                    "name": {
                      "type": "string",
                      "description": "The model's name; no default.",
                      "minLength": 1,
                      "maxLength": 256
                    },
                    "requestsPerSecond": {
                      "type": "number",
                      "description": "Requests per second that one tenant may send in the long run. Absent, no limit.",
                      "minimum": 0.001,
                      "maximum": 1000000000
                    },
                    "burst": {
                      "type": "number",
                      "description": "Requests that may come at once after a quiet time. Default one second's worth of requestsPerSecond, at least 1. Needs requestsPerSecond.",
                      "minimum": 1,
                      "maximum": 1000000000
                    },
                    "computeMillisecondsPerSecond": {
                      "type": "number",
                      "description": "Milliseconds of a model's run time per second that one tenant may use; a request is charged its rows times the model's referenceMilliseconds. Absent, no limit.",
                      "minimum": 0.001,
                      "maximum": 1000000000
                    },
                    "computeBurstMilliseconds": {
                      "type": "number",
                      "description": "Milliseconds of run time that may be used at once after a quiet time; a request that costs more is never let in. Default one second's worth of computeMillisecondsPerSecond, at least 1. Needs computeMillisecondsPerSecond.",
                      "minimum": 1,
                      "maximum": 1000000000
                    },
                    "concurrency": {
                      "type": "integer",
                      "description": "Requests of one tenant that may be under way at once, waiting ones included. Absent, no limit.",
                      "minimum": 1,
                      "maximum": 10000000
                    }
                  }
                }
              }
            }
          }
        },
        "tenants": {
          "type": "array",
          "description": "Tenants with a tier or limits of their own; only these may be a metric label. All others are in the tier that their token or key names, or in defaultTier. Default none.",
          "maxItems": 10000,
          "items": {
            "type": "object",
            "description": "A tenant; what is said here wins over its tier, key by key. A burst that is not said follows a rate that is.",
            "required": [
              "name"
            ],
            "properties": {
              "name": {
                "type": "string",
                "description": "The tenant's name as its certificate, token, key or header gives it. No default.",
                "minLength": 1,
                "maxLength": 256
              },
              "tier": {
                "type": "string",
                "description": "Name of its tier. Default defaultTier.",
                "minLength": 1,
                "maxLength": 63
              },
              "weight": {
                "type": "number",
                "description": "A tenant's share of the service relative to the others' while there is more than can be served. Without unit; default 1.",
                "minimum": 0.01,
                "maximum": 10000
              },
              "requestsPerSecond": {
                "type": "number",
                "description": "Requests per second that one tenant may send in the long run. Absent, no limit.",
                "minimum": 0.001,
                "maximum": 1000000000
              },
              "burst": {
                "type": "number",
                "description": "Requests that may come at once after a quiet time. Default one second's worth of requestsPerSecond, at least 1. Needs requestsPerSecond.",
                "minimum": 1,
                "maximum": 1000000000
              },
              "computeMillisecondsPerSecond": {
                "type": "number",
                "description": "Milliseconds of a model's run time per second that one tenant may use; a request is charged its rows times the model's referenceMilliseconds. Absent, no limit.",
                "minimum": 0.001,
                "maximum": 1000000000
              },
              "computeBurstMilliseconds": {
                "type": "number",
                "description": "Milliseconds of run time that may be used at once after a quiet time; a request that costs more is never let in. Default one second's worth of computeMillisecondsPerSecond, at least 1. Needs computeMillisecondsPerSecond.",
                "minimum": 1,
                "maximum": 1000000000
              },
              "concurrency": {
                "type": "integer",
                "description": "Requests of one tenant that may be under way at once, waiting ones included. Absent, no limit.",
                "minimum": 1,
                "maximum": 10000000
              },
              "defaultPriority": {
                "type": "integer",
                "description": "Priority of a request that names none; 1 is the highest. Absent, the model's default band, never above maxPriority.",
                "minimum": 1,
                "maximum": 4294967295
              },
              "maxPriority": {
                "type": "integer",
                "description": "Highest priority that a request may have, 1 being the highest of all. One that asks for more is lowered to this and told so in a trailer. Default 1.",
                "minimum": 1,
                "maximum": 4294967295
              },
              "deadlineMilliseconds": {
                "type": "number",
                "description": "Longest time from arrival to reply in milliseconds; a sooner gRPC deadline or timeoutMs of the model wins. Absent, no limit.",
                "minimum": 1,
                "maximum": 3600000
              },
              "models": {
                "type": "array",
                "description": "Limits for one model, which hold beside the limits above for all models together. Default none.",
                "maxItems": 1000,
                "items": {
                  "type": "object",
                  "description": "Limits for the requests of one tenant to one model.",
                  "required": [
                    "name"
                  ],
                  "properties": {
                    "name": {
                      "type": "string",
                      "description": "The model's name; no default.",
                      "minLength": 1,
                      "maxLength": 256
                    },
                    "requestsPerSecond": {
                      "type": "number",
                      "description": "Requests per second that one tenant may send in the long run. Absent, no limit.",
                      "minimum": 0.001,
                      "maximum": 1000000000
                    },
                    "burst": {
                      "type": "number",
                      "description": "Requests that may come at once after a quiet time. Default one second's worth of requestsPerSecond, at least 1. Needs requestsPerSecond.",
                      "minimum": 1,
                      "maximum": 1000000000
                    },
                    "computeMillisecondsPerSecond": {
                      "type": "number",
                      "description": "Milliseconds of a model's run time per second that one tenant may use; a request is charged its rows times the model's referenceMilliseconds. Absent, no limit.",
                      "minimum": 0.001,
                      "maximum": 1000000000
                    },
                    "computeBurstMilliseconds": {
                      "type": "number",
                      "description": "Milliseconds of run time that may be used at once after a quiet time; a request that costs more is never let in. Default one second's worth of computeMillisecondsPerSecond, at least 1. Needs computeMillisecondsPerSecond.",
                      "minimum": 1,
                      "maximum": 1000000000
                    },
                    "concurrency": {
                      "type": "integer",
                      "description": "Requests of one tenant that may be under way at once, waiting ones included. Absent, no limit.",
                      "minimum": 1,
                      "maximum": 10000000
                    }
                  }
                }
              }
            }
          }
        },
        "defaultTier": {
          "type": "string",
          "description": "Name of the tier of everybody else. Needed where there are tiers; without any, nothing is limited.",
          "minLength": 1,
          "maxLength": 63
        },
        "bypass": {
          "type": "object",
          "description": "High priority skips batching, but must not starve the rest.",
          "properties": {
            "maxSharePercent": {
              "type": "number",
              "description": "Largest share of a model's execution time, in percent, that requests which skip the lanes may take; a model's priority.bypassMaxSharePercent wins. Default 20.",
              "minimum": 0,
              "maximum": 100
            }
          }
        },
        "shared": {
          "type": "object",
          "description": "Quotas that several gateways count together. Absent, each gateway counts for itself.",
          "required": [
            "redis"
          ],
          "properties": {
            "redis": {
              "type": "object",
              "description": "The Redis that holds the count, version 7 or newer.",
              "required": [
                "addresses"
              ],
              "properties": {
                "addresses": {
                  "type": "array",
                  "description": "\"host:port\" of the server, of the sentinels (with sentinelName) or of nodes of the cluster (with cluster). No default.",
                  "minItems": 1,
                  "maxItems": 100,
                  "items": {
                    "type": "string",
                    "description": "\"host:port\" or \"[ipv6]:port\"; no default.",
                    "minLength": 3,
                    "maxLength": 300
                  }
                },
                "sentinelName": {
                  "type": "string",
                  "description": "Name of the primary that the sentinels watch; makes the addresses those of sentinels. Default none.",
                  "minLength": 1,
                  "maxLength": 256
                },
                "cluster": {
                  "type": "boolean",
                  "description": "True, the addresses are nodes of a Redis Cluster. Default false."
                },
                "username": {
                  "type": "string",
                  "description": "User for AUTH. Default that of Redis, \"default\".",
                  "minLength": 1,
                  "maxLength": 256
                },
                "passwordFile": {
                  "type": "string",
                  "description": "File with the password, read when a connection is opened. Default none, no AUTH.",
                  "minLength": 1,
                  "maxLength": 4096
                },
                "tls": {
                  "type": "object",
                  "description": "Present, connections are TLS. Default plain TCP.",
                  "properties": {
                    "authorityFile": {
                      "type": "string",
                      "description": "PEM of the authorities that may have signed Redis's certificate. Default the system's.",
                      "minLength": 1,
                      "maxLength": 4096
                    },
                    "serverName": {
                      "type": "string",
                      "description": "Overrides the name that the certificate must carry. Default the address's host.",
                      "minLength": 1,
                      "maxLength": 256
                    }
                  }
                }
              }
            },
            "onUnavailable": {
              "type": "string",
              "description": "While Redis cannot be asked, LocalShare, the default, goes on with a bounded share of the limit in each gateway; Refuse refuses with LIMITER_UNAVAILABLE.",
              "enum": [
                "LocalShare",
                "Refuse"
              ]
            }
          }
        },
        "mode": {
          "type": "string",
          "description": "Enforce, the default, refuses what is above the limits; Shadow counts what it would refuse and refuses nothing.",
          "enum": [
            "Enforce",
            "Shadow"
          ]
        }
      }
    }
  }
};
