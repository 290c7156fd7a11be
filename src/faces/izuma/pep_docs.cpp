// SPDX-License-Identifier: Apache-2.0
#include "faces/izuma/pep_docs.h"

namespace birthmark::faces::izuma {
namespace {

constexpr const char* kDocument = R"json({
 "openapi": "3.0.3",
 "info": {
  "title": "pep (Izuma-edge-provisioner)",
  "version": "3"
 },
 "servers": [
  {
   "url": "/"
  }
 ],
 "paths": {
  "/v3/identity": {
   "get": {
    "summary": "Provision a gateway",
    "parameters": [
     {
      "name": "ip",
      "in": "query",
      "required": false,
      "description": "the gateway's IP address; the caller's when it is left out",
      "schema": {
       "type": "string"
      }
     },
     {
      "name": "port",
      "in": "query",
      "required": false,
      "description": "where its Factory Configurator Client listens",
      "schema": {
       "type": "integer",
       "default": 7777
      }
     },
     {
      "name": "serialNumber",
      "in": "query",
      "required": true,
      "description": "1 to 64 characters; endpoint name and common name",
      "schema": {
       "type": "string"
      }
     },
     {
      "name": "apiAddress",
      "in": "query",
      "required": false,
      "description": "",
      "schema": {
       "type": "string",
       "default": "https://api.us-east-1.mbedcloud.com"
      }
     },
     {
      "name": "gatewayServicesAddress",
      "in": "query",
      "required": false,
      "description": "",
      "schema": {
       "type": "string",
       "default": "https://gateways.us-east-1.mbedcloud.com"
      }
     },
     {
      "name": "hardwareVersion",
      "in": "query",
      "required": false,
      "description": "",
      "schema": {
       "type": "string",
       "default": "izuma-edge-gateway"
      }
     },
     {
      "name": "radioConfig",
      "in": "query",
      "required": false,
      "description": "",
      "schema": {
       "type": "string",
       "default": "00"
      }
     },
     {
      "name": "ledConfig",
      "in": "query",
      "required": false,
      "description": "",
      "schema": {
       "type": "string",
       "default": "01"
      }
     },
     {
      "name": "category",
      "in": "query",
      "required": false,
      "description": "",
      "schema": {
       "type": "string",
       "default": "production"
      }
     },
     {
      "name": "verificationKey",
      "in": "query",
      "required": false,
      "description": "of the gateway's sealed journal; kept, and given by /v3/verification-key alone",
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "the gateway holds its identity",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/GatewayIdentity"
        }
       }
      }
     },
     "400": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     },
     "401": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     },
     "403": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     },
     "409": {
      "description": "the serial number has a gateway already",
      "content": {
       "text/html": {
        "schema": {
         "type": "string"
        }
       }
      }
     },
     "429": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     },
     "500": {
      "description": "the gateway did not take its identity; its serial number is free again",
      "content": {
       "text/html": {
        "schema": {
         "type": "string"
        }
       }
      }
     },
     "503": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     }
    }
   },
   "post": {
    "summary": "The same, without secrets in an address",
    "requestBody": {
     "required": true,
     "content": {
      "application/x-www-form-urlencoded": {
       "schema": {
        "type": "object",
        "required": [
         "serialNumber"
        ],
        "properties": {
         "ip": {
          "type": "string"
         },
         "port": {
          "type": "integer",
          "default": 7777
         },
         "serialNumber": {
          "type": "string"
         },
         "apiAddress": {
          "type": "string",
          "default": "https://api.us-east-1.mbedcloud.com"
         },
         "gatewayServicesAddress": {
          "type": "string",
          "default": "https://gateways.us-east-1.mbedcloud.com"
         },
         "hardwareVersion": {
          "type": "string",
          "default": "izuma-edge-gateway"
         },
         "radioConfig": {
          "type": "string",
          "default": "00"
         },
         "ledConfig": {
          "type": "string",
          "default": "01"
         },
         "category": {
          "type": "string",
          "default": "production"
         },
         "verificationKey": {
          "type": "string"
         }
        }
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "the gateway holds its identity",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/GatewayIdentity"
        }
       }
      }
     },
     "400": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     },
     "401": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     },
     "403": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     },
     "409": {
      "description": "the serial number has a gateway already",
      "content": {
       "text/html": {
        "schema": {
         "type": "string"
        }
       }
      }
     },
     "429": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     },
     "500": {
      "description": "the gateway did not take its identity; its serial number is free again",
      "content": {
       "text/html": {
        "schema": {
         "type": "string"
        }
       }
      }
     },
     "503": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     },
     "415": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     }
    }
   }
  },
  "/v3/enrollment-id": {
   "get": {
    "summary": "The enrollment id of a gateway",
    "parameters": [
     {
      "name": "serialNumber",
      "in": "query",
      "required": true,
      "description": "",
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "A- and 95 characters",
      "content": {
       "text/html": {
        "schema": {
         "type": "string"
        }
       }
      }
     },
     "400": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     },
     "403": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     },
     "404": {
      "description": "Not found!",
      "content": {
       "text/html": {
        "schema": {
         "type": "string"
        }
       }
      }
     },
     "503": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     }
    }
   }
  },
  "/v3/verification-key": {
   "get": {
    "summary": "The verification key of a gateway's sealed journal",
    "parameters": [
     {
      "name": "serialNumber",
      "in": "query",
      "required": true,
      "description": "",
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "empty when there is none",
      "content": {
       "text/html": {
        "schema": {
         "type": "string"
        }
       }
      }
     },
     "400": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     },
     "403": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     },
     "404": {
      "description": "Not found!",
      "content": {
       "text/html": {
        "schema": {
         "type": "string"
        }
       }
      }
     },
     "503": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     }
    }
   }
  },
  "/v3/enrollment-ids": {
   "get": {
    "summary": "What was provisioned, page by page",
    "parameters": [
     {
      "name": "limit",
      "in": "query",
      "required": false,
      "description": "1 to 1000",
      "schema": {
       "type": "integer",
       "default": 50
      }
     },
     {
      "name": "order",
      "in": "query",
      "required": false,
      "description": "ASC or DESC",
      "schema": {
       "type": "string",
       "default": "DESC"
      }
     },
     {
      "name": "last",
      "in": "query",
      "required": false,
      "description": "_id of the last row of the page before",
      "schema": {
       "type": "string"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "a page",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/EnrollmentIdList"
        }
       }
      }
     },
     "400": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     },
     "403": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     },
     "503": {
      "description": "refused, with the reason",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Message"
        }
       }
      }
     }
    }
   }
  }
 },
 "components": {
  "schemas": {
   "Message": {
    "type": "object",
    "properties": {
     "message": {
      "type": "string"
     }
    }
   },
   "GatewayIdentity": {
    "type": "object",
    "properties": {
     "serialNumber": {
      "type": "string"
     },
     "hardwareVersion": {
      "type": "string"
     },
     "radioConfig": {
      "type": "string"
     },
     "ledConfig": {
      "type": "string"
     },
     "category": {
      "type": "string"
     },
     "cloudAddress": {
      "type": "string"
     },
     "apiAddress": {
      "type": "string"
     },
     "gatewayServicesAddress": {
      "type": "string"
     },
     "enrollmentID": {
      "type": "string"
     },
     "OU": {
      "type": "string"
     },
     "deviceID": {
      "type": "string"
     },
     "deployed": {
      "type": "boolean"
     },
     "createdAt": {
      "type": "integer",
      "description": "milliseconds since 1970"
     }
    }
   },
   "EnrollmentIdList": {
    "type": "object",
    "properties": {
     "_links": {
      "type": "object",
      "properties": {
       "self": {
        "type": "object",
        "properties": {
         "href": {
          "type": "string"
         }
        }
       },
       "next": {
        "type": "object",
        "description": "only when there is more",
        "properties": {
         "href": {
          "type": "string"
         }
        }
       }
      }
     },
     "results": {
      "type": "array",
      "items": {
       "type": "object",
       "properties": {
        "serialNumber": {
         "type": "string"
        },
        "hardwareVersion": {
         "type": "string"
        },
        "radioConfig": {
         "type": "string"
        },
        "ledConfig": {
         "type": "string"
        },
        "category": {
         "type": "string"
        },
        "cloudAddress": {
         "type": "string"
        },
        "apiAddress": {
         "type": "string"
        },
        "gatewayServicesAddress": {
         "type": "string"
        },
        "enrollmentID": {
         "type": "string"
        },
        "OU": {
         "type": "string"
        },
        "deviceID": {
         "type": "string"
        },
        "deployed": {
         "type": "boolean"
        },
        "createdAt": {
         "type": "integer",
         "description": "milliseconds since 1970"
        },
        "_id": {
         "type": "string",
         "description": "24 hexadecimal digits"
        }
       }
      }
     },
     "total_count": {
      "type": "integer",
      "description": "rows of this page"
     },
     "limit": {
      "type": "integer"
     },
     "order": {
      "type": "string"
     }
    }
   }
  }
 }
})json";

}  // namespace

net::ApiDocs::Settings pep_docs() {
  return {"pep", kDocument, "/docs/pep-swagger.yaml", "/docs/"};
}

}  // namespace birthmark::faces::izuma
