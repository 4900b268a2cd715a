//! The words that the rules look for, in lower case; nouns in singular.

/// Words that name an action which changes something when they stand where an action is named.
#[rustfmt::skip]
pub const CHANGING: [&str; 65] = [
    "delete", "remove", "destroy", "purge", "wipe", "erase", "clear", "truncate", "drop", "uninstall",
    "unlink", "create", "add", "insert", "update", "upsert", "set", "put", "save", "rename", "move",
    "assign", "unassign", "cancel", "confirm", "approve", "reject", "accept", "decline", "activate",
    "deactivate", "enable", "disable", "suspend", "unsuspend", "subscribe", "unsubscribe", "logout",
    "signout", "login", "signin", "revoke", "rotate", "reset", "regenerate", "invite", "kick", "join",
    "leave", "send", "publish", "deploy", "reboot", "restart", "shutdown", "terminate", "kill", "exec",
    "execute", "attach", "portforward", "pay", "refund", "purchase", "checkout",
];

/// Words that say a POST only asks.
#[rustfmt::skip]
pub const READING: [&str; 30] = [
    "search", "query", "list", "find", "lookup", "msearch", "mget", "count", "fetch", "bulkfetch",
    "bulkget", "batchget", "get", "check", "preview", "estimate", "calculate", "match", "parse", "eval",
    "suggest", "autocomplete", "describe", "explain", "validate", "introspect", "compare", "diff",
    "facets", "aggregate",
];

#[rustfmt::skip]
pub const DELETING: [&str; 13] = [
    "delete", "remove", "destroy", "erase", "trash", "drop", "uninstall", "unlink", "discard", "del",
    "bulkdelete", "batchdelete", "deleteall",
];

#[rustfmt::skip]
pub const WIPING: [&str; 9] = [
    "purge", "wipe", "truncate", "clear", "empty", "flush", "bulkdelete", "batchdelete", "deleteall",
];

#[rustfmt::skip]
pub const MANY: [&str; 8] = [
    "all", "batch", "bulk", "many", "multiple", "query", "everything", "collection",
];

#[rustfmt::skip]
pub const PAYING: [&str; 16] = [
    "pay", "charge", "refund", "transfer", "payout", "purchase", "buy", "withdraw", "deposit", "donate",
    "checkout", "topup", "disburse", "remit", "settle", "payment",
];

#[rustfmt::skip]
pub const MONEY: [&str; 18] = [
    "payment", "charge", "refund", "transfer", "payout", "invoice", "checkout", "purchase", "donation",
    "withdrawal", "deposit", "topup", "disbursement", "mandate", "chargeback", "wallet", "billing",
    "paymentintent",
];

#[rustfmt::skip]
pub const ENTERING: [&str; 16] = [
    "login", "logout", "signin", "signout", "signup", "register", "authenticate", "authorize",
    "reauthenticate", "logon", "logoff", "revoke", "rotate", "introspect", "passwd", "deauthorize",
];

#[rustfmt::skip]
pub const CREDENTIALS: [&str; 21] = [
    "password", "passwd", "token", "oauth", "oauth2", "credential", "secret", "apikey", "mfa", "otp",
    "totp", "2fa", "sso", "saml", "session", "jwt", "webauthn", "passkey", "login", "authentication",
    "authorization",
];

#[rustfmt::skip]
pub const DOORS: [&str; 8] = [
    "auth", "oauth", "oauth2", "login", "sso", "saml", "mfa", "openid",
];

#[rustfmt::skip]
pub const RULING: [&str; 13] = [
    "admin", "administrator", "superuser", "sudo", "iam", "rbac", "acl", "role", "permission", "policy",
    "policies", "privilege", "entitlement",
];

#[rustfmt::skip]
pub const RULING_STEMS: [&str; 7] = [
    "permission", "rolebinding", "clusterrole", "impersonat", "collaborator", "superuser",
    "policybinding",
];

#[rustfmt::skip]
pub const PEOPLE: [&str; 8] = [
    "member", "membership", "collaborator", "owner", "invitation", "invite", "maintainer", "delegate",
];

#[rustfmt::skip]
pub const PROMOTING: [&str; 5] = [
    "grant", "impersonate", "ban", "unban", "kick",
];

/// These too, where they happen to people.
#[rustfmt::skip]
pub const RANKING: [&str; 4] = [
    "promote", "demote", "suspend", "unsuspend",
];

#[rustfmt::skip]
pub const PERSONS: [&str; 6] = [
    "user", "account", "member", "participant", "customer", "people",
];

#[rustfmt::skip]
pub const FINAL: [&str; 45] = [
    "submit", "merge", "reboot", "restart", "shutdown", "poweroff", "terminate", "kill", "stop",
    "cancel", "rollback", "restore", "failover", "migrate", "execute", "exec", "run", "import",
    "deactivate", "lock", "close", "trigger", "resize", "rebuild", "unpublish", "reset", "evict",
    "eviction", "drain", "abort", "attach", "portforward", "deploy", "deployment", "release",
    "dispatch", "approve", "reject", "confirm", "finalize", "void", "execution", "promote", "demote",
    "suspend",
];

#[rustfmt::skip]
pub const TELLING: [&str; 16] = [
    "send", "publish", "broadcast", "notify", "email", "mail", "sms", "message", "notification", "post",
    "tweet", "invite", "forward", "reply", "announce", "ping",
];

#[rustfmt::skip]
pub const SWITCHING: [&str; 12] = [
    "archive", "unarchive", "enable", "disable", "activate", "pause", "resume", "star", "follow",
    "mute", "subscribe", "unsubscribe",
];

#[rustfmt::skip]
pub const SENSITIVE: [&str; 30] = [
    "admin", "audit", "payment", "charge", "refund", "transfer", "payout", "invoice", "billing",
    "wallet", "bank", "transaction", "payroll", "salary", "token", "secret", "credential", "password",
    "apikey", "session", "role", "permission", "policy", "policies", "acl", "iam", "rbac", "patient",
    "tax", "passport",
];

#[rustfmt::skip]
pub const SENSITIVE_FIELDS: [&str; 37] = [
    "password", "passwordhash", "secret", "clientsecret", "apikey", "privatekey", "accesstoken",
    "refreshtoken", "idtoken", "authtoken", "sessiontoken", "token", "ssn", "socialsecuritynumber",
    "cardnumber", "cvc", "cvv", "iban", "accountnumber", "routingnumber", "balance", "salary",
    "dateofbirth", "dob", "birthdate", "birthday", "taxid", "vatnumber", "passport", "passportnumber",
    "nationalid", "diagnosis", "last4", "bic", "kubeconfig", "connectionstring", "sshkey",
];

#[rustfmt::skip]
pub const SECRET_INPUTS: [&str; 21] = [
    "password", "newpassword", "oldpassword", "currentpassword", "passwordconfirmation", "passwd",
    "clientsecret", "granttype", "refreshtoken", "otp", "otpcode", "totp", "mfacode",
    "verificationcode", "privatekey", "secretkey", "passphrase", "pin", "idtoken", "encryptedvalue",
    "sshkey",
];

#[rustfmt::skip]
pub const MINTED: [&str; 10] = [
    "accesstoken", "refreshtoken", "idtoken", "authtoken", "sessiontoken", "clientsecret", "apikey",
    "privatekey", "secretkey", "bearertoken",
];

#[rustfmt::skip]
pub const PAYING_FIELDS: [&str; 19] = [
    "cardnumber", "cvc", "cvv", "cardcvc", "iban", "accountnumber", "routingnumber", "paymentmethod",
    "paymentmethodid", "paymenttoken", "defaultpaymentmethod", "paymentintent", "paymentsource",
    "billingaddress", "chargeid", "payee", "beneficiary", "payoutid", "cardtoken",
];

#[rustfmt::skip]
pub const AMOUNTS: [&str; 9] = [
    "amount", "amountcents", "totalamount", "amountdue", "amounttocapture", "transferamount",
    "grossamount", "unitamount", "applicationfeeamount",
];

#[rustfmt::skip]
pub const RULING_FIELDS: [&str; 20] = [
    "role", "roles", "roleid", "roleids", "permission", "permissions", "isadmin", "admin",
    "issuperuser", "acl", "accesslevel", "newowner", "newownerid", "bindings", "privileges", "rolename",
    "policydocument", "siteadmin", "organizationrole", "superuser",
];
