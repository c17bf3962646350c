// Signs in by one flow, in every way that the flow has: a line of JSON for each token, or for each refusal.
//
// Argument: the flow.
import * as identity from "@azure/identity";

const vault = "https://vault.azure.net/.default";
const management = "https://management.azure.com/.default";
const tenantId = "7e000000-0000-4000-8000-000000000001";
const [app, api, portal, tool, chained] = ["01", "09", "15", "14", "a1"].map(
  (number) => `c1000000-0000-4000-8000-0000000000${number}`,
);
// What a resource server demands that wants a token of now.
const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
const given = process.env;

// Say whose the token is.
async function tell(kind, ask) {
  let said;
  try {
    const { token } = await ask();
    const { oid, appid, azp, aud } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
    said = { oid, app: appid ?? azp, audience: aud };
  } catch (error) {
    said = { error: error.name, message: error.message };
  }
  console.log(JSON.stringify({ kind, ...said }));
}

// The credentials that sign an app in, by flow and kind.
const certificatePath = given.CERTIFICATE;
const userAssertionToken = given.GIVEN_USER_ASSERTION;
const getAssertion = async () => given.GIVEN_ASSERTION;
const certificateOf = (clientId, settings, options) =>
  new identity.ClientCertificateCredential(tenantId, clientId, settings, options);
const behalf = (proof) =>
  new identity.OnBehalfOfCredential({ tenantId, clientId: api, userAssertionToken, ...proof });
const servicePrincipals = {
  secret: { secret: () => new identity.ClientSecretCredential(tenantId, app, given.APP_SECRET) },
  certificate: {
    pem: () => certificateOf(app, { certificatePath }),
    encrypted: () =>
      certificateOf(app, {
        certificatePath: given.CERTIFICATE_ENCRYPTED,
        certificatePassword: given.CERTIFICATE_PASSWORD,
      }),
    chain: () => certificateOf(chained, { certificatePath: given.CERTIFICATE_CHAIN }, { sendCertificateChain: true }),
  },
  environment: { certificate: () => new identity.EnvironmentCredential() },
  assertion: { function: () => new identity.ClientAssertionCredential(tenantId, app, getAssertion) },
  workload: { file: () => new identity.WorkloadIdentityCredential() },
  pipelines: {
    "service connection": () =>
      new identity.AzurePipelinesCredential(
        given.AZURESUBSCRIPTION_TENANT_ID,
        given.AZURESUBSCRIPTION_CLIENT_ID,
        given.AZURESUBSCRIPTION_SERVICE_CONNECTION_ID,
        given.SYSTEM_ACCESSTOKEN,
      ),
  },
  "on-behalf-of": {
    secret: () => behalf({ clientSecret: given.API_SECRET }),
    certificate: () => behalf({ certificatePath }),
    assertion: () => behalf({ getAssertion }),
  },
};

// The credentials that sign a person in.
const userPromptCallback = ({ userCode, verificationUri }) => console.error(`${userCode} at ${verificationUri}`);
const people = {
  code: () =>
    new identity.AuthorizationCodeCredential(
      tenantId,
      portal,
      given.PORTAL_SECRET,
      given.GIVEN_CODE,
      given.GIVEN_REDIRECT_URI,
    ),
  device: (more) => new identity.DeviceCodeCredential({ tenantId, clientId: tool, userPromptCallback, ...more }),
  browser: (more) => new identity.InteractiveBrowserCredential({ tenantId, clientId: tool, ...more }),
  password: () => new identity.UsernamePasswordCredential(tenantId, tool, given.USER_NAME, given.USER_PASSWORD),
};

// One sign-in, and what comes of it: another resource, and a token anew.
async function goOn(credential) {
  await tell("first", () => credential.getToken(vault));
  await tell("again", () => credential.getToken(vault));
  await tell("other resource", () => credential.getToken(management));
  await tell("claims", () => credential.getToken(vault, { claims }));
}

// A person is asked only when the program says so, and the record of it is kept.
async function record(make) {
  const silent = make({ disableAutomaticAuthentication: true });
  await tell("before", () => silent.getToken(vault));
  const kept = identity.serializeAuthenticationRecord(await silent.authenticate(vault));
  await tell("after", () => silent.getToken(vault));
  await tell("other resource", () => silent.getToken(management));
  const written = JSON.parse(kept);
  const account = written.homeAccountId.split(".");
  console.log(
    JSON.stringify({ kind: "record", names: Object.keys(written).sort(), username: written.username, account }),
  );
  const authenticationRecord = identity.deserializeAuthenticationRecord(kept);
  const other = make({ disableAutomaticAuthentication: true, authenticationRecord });
  await tell("another object", () => other.getToken(vault));
}

const flow = process.argv[2];
if (flow === "record") {
  await record(people.device);
} else if (people[flow]) {
  await goOn(people[flow]());
} else {
  for (const [kind, make] of Object.entries(servicePrincipals[flow])) {
    await tell(kind, () => make().getToken(vault));
  }
}
// The server that waited for the browser is not closed by the library.
process.exit(0);
