"""Read a secret without the role for it, assign the role, and read it again.

A newcomer has an identity and no role. An administrator gives it one, with the ids and secrets in the environment.
"""

import os
import uuid

from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import SecretClient
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.models import RoleAssignmentCreateParameters
from entrada import ClientSecretCredential

TENANT = os.environ["AZURE_TENANT_ID"]
SUBSCRIPTION = os.environ["AZURE_SUBSCRIPTION_ID"]
VAULT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/orders-rg/providers/Microsoft.KeyVault/vaults/contoso-vault"

newcomer = ClientSecretCredential(TENANT, os.environ["NEWCOMER_CLIENT_ID"], os.environ["NEWCOMER_CLIENT_SECRET"])
administrator = ClientSecretCredential(TENANT, os.environ["ADMIN_CLIENT_ID"], os.environ["ADMIN_CLIENT_SECRET"])

secrets = SecretClient("https://contoso-vault.vault.azure.net", newcomer)
try:
    secrets.get_secret("database-password")
except HttpResponseError as error:
    print(f"before: {error.status_code}")
    print(error.error.message.strip() if error.error else error.reason)

authorization = AuthorizationManagementClient(administrator, SUBSCRIPTION)
[role] = authorization.role_definitions.list(VAULT, filter="roleName eq 'Key Vault Secrets User'")
assignment = authorization.role_assignments.create(
    VAULT,
    str(uuid.uuid4()),
    RoleAssignmentCreateParameters(
        role_definition_id=role.id,
        principal_id=os.environ["NEWCOMER_OBJECT_ID"],
        principal_type="ServicePrincipal",
    ),
)
print(f"assigned {role.role_name} to {assignment.principal_id}")

secret = secrets.get_secret("database-password")
print(f"after: {secret.name} has {len(secret.value or '')} characters")
