// Who a program is on this host, to each way of naming an identity: a line of JSON each.
//
// Argument: the credential to use.
import * as identity from "@azure/identity";

const scope = "https://vault.azure.net/.default";
const { ORDERS_CLIENT_ID: clientId, ORDERS_OBJECT_ID: objectId, ORDERS_RESOURCE_ID: resourceId } = process.env;
const kinds = {
  ManagedIdentityCredential: {
    none: {},
    "client id": { clientId },
    "object id": { objectId },
    "resource id": { resourceId },
  },
  WorkloadIdentityCredential: {
    none: { enableAzureProxy: true },
    "client id": { enableAzureProxy: true, clientId },
  },
};

// Whose the token is, and how many hours it lasts.
function described({ token, expiresOnTimestamp }) {
  const { oid, appid } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
  return { oid, appid, hours: Math.round((expiresOnTimestamp - Date.now()) / 3_600_000) };
}

const name = process.argv[2];
for (const [kind, options] of Object.entries(kinds[name])) {
  let outcome;
  try {
    const credential = new identity[name](options);
    outcome = described(await credential.getToken(scope));
  } catch (error) {
    outcome = { error: error.name, message: error.message };
  }
  console.log(JSON.stringify({ kind, ...outcome }));
}
