// Generated from proto/headrace/v1/routing-table.openapi.yaml by `npm run generate -w @headrace/gateway`. Do not edit.

/**
 * What the gateway serves, where it sends it and by which rules. Read from a file, or delivered by the control plane.
 */
export interface RoutingTable {
  apiVersion: 'headrace.dev/v1alpha1';
  kind: 'RoutingTable';
  /**
   * Inference servers that speak the Open Inference Protocol v2 over gRPC.
   *
   * @minItems 1
   * @maxItems 1000
   */
  backends: {
    /**
     * Unique in the table; shows in metrics, logs and errors.
     */
    name: string;
    /**
     * "host:port", "[ipv6]:port" or "dns:///host:port".
     */
    address: string;
    /**
     * Backends of one class share a cost fit t(b) = a + k b; name the hardware, e.g. cpu or gpu-l4.
     */
    podClass?: string;
    /**
     * Batches that it runs at once, per model. Absent, what its ModelConfig says (instance_group counts), else 1.
     */
    instances?: number;
    /**
     * Present, the connection is TLS. The files are read when the connection is opened.
     */
    tls?: {
      /**
       * PEM of the authorities that may have signed the backend's certificate. Absent, the system's.
       */
      authorityFile?: string;
      /**
       * PEM client certificate, for mutual TLS. Needs keyFile.
       */
      certificateFile?: string;
      /**
       * PEM key of certificateFile.
       */
      keyFile?: string;
      /**
       * Overrides the name that the certificate must carry.
       */
      serverName?: string;
    };
  }[];
  /**
   * Settings of every model that does not say otherwise.
   */
  defaults?: {
    /**
     * Longest time from arrival to reply in milliseconds; a sooner gRPC deadline wins. Default 30000.
     */
    timeoutMs?: number;
    /**
     * True, the default, lets the gateway run a request again on another backend when the first was lost.
     */
    idempotent?: boolean;
    batching?: {
      /**
       * Largest sum of rows of one run; 0 never batches. Absent, the backend's ModelConfig.max_batch_size; without one, never batched.
       */
      maxBatchRows?: number;
      /**
       * Rows that may wait, per model and requested version; above it requests get QUEUE_FULL. Default 4096.
       */
      maxQueuedRows?: number;
      /**
       * Lanes (kinds of mergeable requests) that may wait at once. Default 256.
       */
      maxLanes?: number;
      /**
       * A request that waited this many milliseconds moves up one priority band. Default 1000.
       */
      agingMs?: number;
    };
    /**
     * The latency that the model is meant to keep. It orders and sheds under overload, and never ends a request. Absent, none.
     */
    slo?: {
      /**
       * Percentile of the latencies, in percent, that is held against latencyMilliseconds. Default 99.
       */
      percentile?: number;
      /**
       * Milliseconds from arrival to reply. No default.
       */
      latencyMilliseconds: number;
      /**
       * Share of the time, in percent, in which the percentile is to be kept. Default 99.5.
       */
      attainmentPercent?: number;
    };
    /**
     * How the request parameter "priority" (1 highest, 0 or absent the default) is understood.
     */
    priority?: {
      /**
       * Number of bands; a request's larger priority falls into the last. Default 4.
       */
      bands?: number;
      /**
       * Band of requests without a priority. Absent, the middle one, half the bands rounded down, plus 1 (3 of 4).
       */
      default?: number;
      /**
       * Bands up to this one skip the lanes and go to the best backend at once; 0 for none. Default 1.
       */
      bypass?: number;
      /**
       * Largest share of execution time that bypassing may take; above it such requests go to the front of their lane. Default 20.
       */
      bypassMaxSharePercent?: number;
      /**
       * Bands of particular request priorities, before the rule above.
       *
       * @maxItems 64
       */
      map?: {
        priority: number;
        band: number;
      }[];
    };
  };
  /**
   * Settings of models by name. A model that is not named here is served with the defaults by every backend that has it.
   *
   * @maxItems 10000
   */
  models?: {
    name: string;
    /**
     * Names of the backends that may serve it. Absent, all that have it.
     *
     * @minItems 1
     * @maxItems 1000
     */
    backends?: string[];
    /**
     * Name of another model of this table with the same inputs and outputs, say a smaller one, that answers when this one is overloaded or down. Default none.
     */
    fallback?: string;
    /**
     * Cost of one row in milliseconds, charged against computeMillisecondsPerSecond. Absent, it is measured.
     */
    referenceMilliseconds?: number;
    /**
     * Longest time from arrival to reply in milliseconds; a sooner gRPC deadline wins. Default 30000.
     */
    timeoutMs?: number;
    /**
     * True, the default, lets the gateway run a request again on another backend when the first was lost.
     */
    idempotent?: boolean;
    batching?: {
      /**
       * Largest sum of rows of one run; 0 never batches. Absent, the backend's ModelConfig.max_batch_size; without one, never batched.
       */
      maxBatchRows?: number;
      /**
       * Rows that may wait, per model and requested version; above it requests get QUEUE_FULL. Default 4096.
       */
      maxQueuedRows?: number;
      /**
       * Lanes (kinds of mergeable requests) that may wait at once. Default 256.
       */
      maxLanes?: number;
      /**
       * A request that waited this many milliseconds moves up one priority band. Default 1000.
       */
      agingMs?: number;
    };
    /**
     * The latency that the model is meant to keep. It orders and sheds under overload, and never ends a request. Absent, none.
     */
    slo?: {
      /**
       * Percentile of the latencies, in percent, that is held against latencyMilliseconds. Default 99.
       */
      percentile?: number;
      /**
       * Milliseconds from arrival to reply. No default.
       */
      latencyMilliseconds: number;
      /**
       * Share of the time, in percent, in which the percentile is to be kept. Default 99.5.
       */
      attainmentPercent?: number;
    };
    /**
     * How the request parameter "priority" (1 highest, 0 or absent the default) is understood.
     */
    priority?: {
      /**
       * Number of bands; a request's larger priority falls into the last. Default 4.
       */
      bands?: number;
      /**
       * Band of requests without a priority. Absent, the middle one, half the bands rounded down, plus 1 (3 of 4).
       */
      default?: number;
      /**
       * Bands up to this one skip the lanes and go to the best backend at once; 0 for none. Default 1.
       */
      bypass?: number;
      /**
       * Largest share of execution time that bypassing may take; above it such requests go to the front of their lane. Default 20.
       */
      bypassMaxSharePercent?: number;
      /**
       * Bands of particular request priorities, before the rule above.
       *
       * @maxItems 64
       */
      map?: {
        priority: number;
        band: number;
      }[];
    };
  }[];
  /**
   * Who callers are, what each may use, and who goes first; the fields are those of a TrafficPolicy's spec. Absent, nothing is limited.
   */
  trafficPolicy?: {
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
  routing?: {
    /**
     * A backend that (re)joined takes a growing share for this long. Default 5000; 0 turns it off.
     */
    slowStartMs?: number;
    /**
     * When a backend is set aside because it became slow.
     */
    outlier?: {
      /**
       * Times slower than predicted, compared with the median of the other backends. Default 3.
       */
      slownessFactor?: number;
      /**
       * Slowness below this many milliseconds over the prediction is never a reason. Default 20.
       */
      minExcessMs?: number;
      /**
       * Runs, the latest ones, whose median is judged; before as many were seen there is no judgement. Default 10.
       */
      minRuns?: number;
      /**
       * How long the first ejection lasts; doubled with each that follows, at most tenfold. Default 5000.
       */
      ejectMs?: number;
      /**
       * Share of the backends that may be set aside at once, rounded down. Default 50.
       */
      maxEjectedPercent?: number;
    };
    /**
     * Circuit breaker per backend, on failures that are the backend's fault.
     */
    breaker?: {
      /**
       * Opens at this share of failed runs. Default 50.
       */
      errorPercent?: number;
      /**
       * Runs within the window before it may open. Default 10.
       */
      minRuns?: number;
      /**
       * Default 10000.
       */
      windowMs?: number;
      /**
       * After this long one run is let through as a trial. Default 5000.
       */
      resetMs?: number;
    };
    /**
     * Retries (after a lost backend) may not exceed this share of requests plus a floor.
     */
    retryBudget?: {
      /**
       * Default 20.
       */
      percent?: number;
      /**
       * Default 10.
       */
      minPerSecond?: number;
    };
  };
  limits?: {
    /**
     * Bytes of all request messages that the gateway holds at once; above it requests get QUEUE_FULL. Default 268435456.
     */
    maxQueuedBytes?: number;
    /**
     * Largest message, both ways. Default 67108864. Read at start only.
     */
    maxMessageBytes?: number;
  };
}

export const routingTableSchema: Readonly<Record<string, unknown>> = {
  "type": "object",
  "description": "What the gateway serves, where it sends it and by which rules. Read from a file, or delivered by the control plane.",
  "required": [
    "apiVersion",
    "kind",
    "backends"
  ],
  "properties": {
    "apiVersion": {
      "type": "string",
      "enum": [
        "headrace.dev/v1alpha1"
      ]
    },
    "kind": {
      "type": "string",
      "enum": [
        "RoutingTable"
      ]
    },
    "backends": {
      "type": "array",
      "description": "Inference servers that speak the Open Inference Protocol v2 over gRPC.",
      "minItems": 1,
      "maxItems": 1000,
      "items": {
        "type": "object",
        "required": [
          "name",
          "address"
        ],
        "properties": {
          "name": {
            "type": "string",
            "description": "Unique in the table; shows in metrics, logs and errors.",
            "pattern": "^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$"
          },
          "address": {
            "type": "string",
            "description": "\"host:port\", \"[ipv6]:port\" or \"dns:///host:port\".",
            "minLength": 3,
            "maxLength": 300
          },
          "podClass": {
            "type": "string",
            "description": "Backends of one class share a cost fit t(b) = a + k b; name the hardware, e.g. cpu or gpu-l4.",
            "default": "default",
            "pattern": "^[A-Za-z0-9]([A-Za-z0-9._:-]{0,61}[A-Za-z0-9])?$"
          },
          "instances": {
            "type": "integer",
            "description": "Batches that it runs at once, per model. Absent, what its ModelConfig says (instance_group counts), else 1.",
            "minimum": 1,
            "maximum": 1024
          },
          "tls": {
            "type": "object",
            "description": "Present, the connection is TLS. The files are read when the connection is opened.",
            "properties": {
              "authorityFile": {
                "type": "string",
                "description": "PEM of the authorities that may have signed the backend's certificate. Absent, the system's.",
                "minLength": 1
              },
              "certificateFile": {
                "type": "string",
                "description": "PEM client certificate, for mutual TLS. Needs keyFile.",
                "minLength": 1
              },
              "keyFile": {
                "type": "string",
                "description": "PEM key of certificateFile.",
                "minLength": 1
              },
              "serverName": {
                "type": "string",
                "description": "Overrides the name that the certificate must carry.",
                "minLength": 1
              }
            }
          }
        }
      }
    },
    "defaults": {
      "type": "object",
      "description": "Settings of every model that does not say otherwise.",
      "properties": {
        "timeoutMs": {
          "type": "integer",
          "description": "Longest time from arrival to reply in milliseconds; a sooner gRPC deadline wins. Default 30000.",
          "minimum": 1,
          "maximum": 3600000
        },
        "idempotent": {
          "type": "boolean",
          "description": "True, the default, lets the gateway run a request again on another backend when the first was lost."
        },
        "batching": {
          "type": "object",
          "properties": {
            "maxBatchRows": {
              "type": "integer",
              "description": "Largest sum of rows of one run; 0 never batches. Absent, the backend's ModelConfig.max_batch_size; without one, never batched.",
              "minimum": 0,
              "maximum": 65536
            },
            "maxQueuedRows": {
              "type": "integer",
              "description": "Rows that may wait, per model and requested version; above it requests get QUEUE_FULL. Default 4096.",
              "minimum": 1,
              "maximum": 10000000
            },
            "maxLanes": {
              "type": "integer",
              "description": "Lanes (kinds of mergeable requests) that may wait at once. Default 256.",
              "minimum": 1,
              "maximum": 65536
            },
            "agingMs": {
              "type": "integer",
              "description": "A request that waited this many milliseconds moves up one priority band. Default 1000.",
              "minimum": 1,
              "maximum": 3600000
            }
          }
        },
        "slo": {
          "type": "object",
          "description": "The latency that the model is meant to keep. It orders and sheds under overload, and never ends a request. Absent, none.",
          "required": [
            "latencyMilliseconds"
          ],
          "properties": {
            "percentile": {
              "type": "number",
              "description": "Percentile of the latencies, in percent, that is held against latencyMilliseconds. Default 99.",
              "minimum": 50,
              "maximum": 99.999
            },
            "latencyMilliseconds": {
              "type": "number",
              "description": "Milliseconds from arrival to reply. No default.",
              "minimum": 0.1,
              "maximum": 3600000
            },
            "attainmentPercent": {
              "type": "number",
              "description": "Share of the time, in percent, in which the percentile is to be kept. Default 99.5.",
              "minimum": 50,
              "maximum": 99.999
            }
          }
        },
        "priority": {
          "type": "object",
          "description": "How the request parameter \"priority\" (1 highest, 0 or absent the default) is understood.",
          "properties": {
            "bands": {
              "type": "integer",
              "description": "Number of bands; a request's larger priority falls into the last. Default 4.",
              "minimum": 1,
              "maximum": 64
            },
            "default": {
              "type": "integer",
              "description": "Band of requests without a priority. Absent, the middle one, half the bands rounded down, plus 1 (3 of 4).",
              "minimum": 1,
              "maximum": 64
            },
            "bypass": {
              "type": "integer",
              "description": "Bands up to this one skip the lanes and go to the best backend at once; 0 for none. Default 1.",
              "minimum": 0,
              "maximum": 64
            },
            "bypassMaxSharePercent": {
              "type": "integer",
              "description": "Largest share of execution time that bypassing may take; above it such requests go to the front of their lane. Default 20.",
              "minimum": 0,
              "maximum": 100
            },
            "map": {
              "type": "array",
              "description": "Bands of particular request priorities, before the rule above.",
              "maxItems": 64,
              "items": {
                "type": "object",
                "required": [
                  "priority",
                  "band"
                ],
                "properties": {
                  "priority": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 4294967295
                  },
                  "band": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 64
                  }
                }
              }
            }
          }
        }
      }
    },
    "models": {
      "type": "array",
      "description": "Settings of models by name. A model that is not named here is served with the defaults by every backend that has it.",
      "maxItems": 10000,
      "items": {
        "type": "object",
        "required": [
          "name"
        ],
        "properties": {
          "name": {
            "type": "string",
            "minLength": 1,
            "maxLength": 256
          },
          "backends": {
            "type": "array",
            "description": "Names of the backends that may serve it. Absent, all that have it.",
            "minItems": 1,
            "maxItems": 1000,
            "items": {
              "type": "string"
            }
          },
          "fallback": {
            "type": "string",
            "description": "Name of another model of this table with the same inputs and outputs, say a smaller one, that answers when this one is overloaded or down. Default none.",
            "minLength": 1,
            "maxLength": 256
          },
          "referenceMilliseconds": {
            "type": "number",
            "description": "Cost of one row in milliseconds, charged against computeMillisecondsPerSecond. Absent, it is measured.",
            "minimum": 0.000001,
            "maximum": 3600000
          },
          "timeoutMs": {
            "type": "integer",
            "description": "Longest time from arrival to reply in milliseconds; a sooner gRPC deadline wins. Default 30000.",
            "minimum": 1,
            "maximum": 3600000
          },
          "idempotent": {
            "type": "boolean",
            "description": "True, the default, lets the gateway run a request again on another backend when the first was lost."
          },
          "batching": {
            "type": "object",
            "properties": {
              "maxBatchRows": {
                "type": "integer",
                "description": "Largest sum of rows of one run; 0 never batches. Absent, the backend's ModelConfig.max_batch_size; without one, never batched.",
                "minimum": 0,
                "maximum": 65536
              },
              "maxQueuedRows": {
                "type": "integer",
                "description": "Rows that may wait, per model and requested version; above it requests get QUEUE_FULL. Default 4096.",
                "minimum": 1,
                "maximum": 10000000
              },
              "maxLanes": {
                "type": "integer",
                "description": "Lanes (kinds of mergeable requests) that may wait at once. Default 256.",
                "minimum": 1,
                "maximum": 65536
              },
              "agingMs": {
                "type": "integer",
                "description": "A request that waited this many milliseconds moves up one priority band. Default 1000.",
                "minimum": 1,
                "maximum": 3600000
              }
            }
          },
          "slo": {
            "type": "object",
            "description": "The latency that the model is meant to keep. It orders and sheds under overload, and never ends a request. Absent, none.",
            "required": [
              "latencyMilliseconds"
            ],
            "properties": {
              "percentile": {
                "type": "number",
                "description": "Percentile of the latencies, in percent, that is held against latencyMilliseconds. Default 99.",
                "minimum": 50,
                "maximum": 99.999
              },
              "latencyMilliseconds": {
                "type": "number",
                "description": "Milliseconds from arrival to reply. No default.",
                "minimum": 0.1,
                "maximum": 3600000
              },
              "attainmentPercent": {
                "type": "number",
                "description": "Share of the time, in percent, in which the percentile is to be kept. Default 99.5.",
                "minimum": 50,
                "maximum": 99.999
              }
            }
          },
          "priority": {
            "type": "object",
            "description": "How the request parameter \"priority\" (1 highest, 0 or absent the default) is understood.",
            "properties": {
              "bands": {
                "type": "integer",
                "description": "Number of bands; a request's larger priority falls into the last. Default 4.",
                "minimum": 1,
                "maximum": 64
              },
              "default": {
                "type": "integer",
                "description": "Band of requests without a priority. Absent, the middle one, half the bands rounded down, plus 1 (3 of 4).",
                "minimum": 1,
                "maximum": 64
              },
              "bypass": {
                "type": "integer",
                "description": "Bands up to this one skip the lanes and go to the best backend at once; 0 for none. Default 1.",
                "minimum": 0,
                "maximum": 64
              },
              "bypassMaxSharePercent": {
                "type": "integer",
                "description": "Largest share of execution time that bypassing may take; above it such requests go to the front of their lane. Default 20.",
                "minimum": 0,
                "maximum": 100
              },
              "map": {
                "type": "array",
                "description": "Bands of particular request priorities, before the rule above.",
                "maxItems": 64,
                "items": {
                  "type": "object",
                  "required": [
                    "priority",
                    "band"
                  ],
                  "properties": {
                    "priority": {
                      "type": "integer",
                      "minimum": 1,
                      "maximum": 4294967295
                    },
                    "band": {
                      "type": "integer",
                      "minimum": 1,
                      "maximum": 64
                    }
                  }
                }
              }
            }
          }
        }
      }
    },
    "trafficPolicy": {
      "type": "object",
      "description": "Who callers are, what each may use, and who goes first; the fields are those of a TrafficPolicy's spec. Absent, nothing is limited.",
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
    },
    "routing": {
      "type": "object",
      "properties": {
        "slowStartMs": {
          "type": "integer",
          "description": "A backend that (re)joined takes a growing share for this long. Default 5000; 0 turns it off.",
          "minimum": 0,
          "maximum": 3600000
        },
        "outlier": {
          "type": "object",
          "description": "When a backend is set aside because it became slow.",
          "properties": {
            "slownessFactor": {
              "type": "number",
              "description": "Times slower than predicted, compared with the median of the other backends. Default 3.",
              "minimum": 1.1,
              "maximum": 1000
            },
            "minExcessMs": {
              "type": "integer",
              "description": "Slowness below this many milliseconds over the prediction is never a reason. Default 20.",
              "minimum": 0,
              "maximum": 3600000
            },
            "minRuns": {
              "type": "integer",
              "description": "Runs, the latest ones, whose median is judged; before as many were seen there is no judgement. Default 10.",
              "minimum": 1,
              "maximum": 10000
            },
            "ejectMs": {
              "type": "integer",
              "description": "How long the first ejection lasts; doubled with each that follows, at most tenfold. Default 5000.",
              "minimum": 1,
              "maximum": 3600000
            },
            "maxEjectedPercent": {
              "type": "integer",
              "description": "Share of the backends that may be set aside at once, rounded down. Default 50.",
              "minimum": 0,
              "maximum": 100
            }
          }
        },
        "breaker": {
          "type": "object",
          "description": "Circuit breaker per backend, on failures that are the backend's fault.",
          "properties": {
            "errorPercent": {
              "type": "integer",
              "description": "Opens at this share of failed runs. Default 50.",
              "minimum": 1,
              "maximum": 100
            },
            "minRuns": {
              "type": "integer",
              "description": "Runs within the window before it may open. Default 10.",
              "minimum": 1,
              "maximum": 100000
            },
            "windowMs": {
              "type": "integer",
              "description": "Default 10000.",
              "minimum": 100,
              "maximum": 3600000
            },
            "resetMs": {
              "type": "integer",
              "description": "After this long one run is let through as a trial. Default 5000.",
              "minimum": 10,
              "maximum": 3600000
            }
          }
        },
        "retryBudget": {
          "type": "object",
          "description": "Retries (after a lost backend) may not exceed this share of requests plus a floor.",
          "properties": {
            "percent": {
              "type": "integer",
              "description": "Default 20.",
              "minimum": 0,
              "maximum": 100
            },
            "minPerSecond": {
              "type": "integer",
              "description": "Default 10.",
              "minimum": 0,
              "maximum": 1000000
            }
          }
        }
      }
    },
    "limits": {
      "type": "object",
      "properties": {
        "maxQueuedBytes": {
          "type": "integer",
          "description": "Bytes of all request messages that the gateway holds at once; above it requests get QUEUE_FULL. Default 268435456.",
          "minimum": 1024,
          "maximum": 1099511627776
        },
        "maxMessageBytes": {
          "type": "integer",
          "description": "Largest message, both ways. Default 67108864. Read at start only.",
          "minimum": 1024,
          "maximum": 2147483647
        }
      }
    }
  }
};
