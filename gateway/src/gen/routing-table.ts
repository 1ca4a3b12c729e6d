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
