//! Settings of log-on by tokens of an OpenID provider.

use store::SettingsMap;

use super::declare::{Invalid, settings_group};

settings_group! {
    /// The provider whose tokens are taken, and which of them.
    OpenIdSettings (_context: ()) named "OpenId" => {
        /// The provider's URL, as its tokens name it (iss). Empty: nobody logs on by a token.
        issuer("Issuer"): String = String::new();
        /// Whom tokens have to be issued for (aud): this server's name at the provider. JSON Web Tokens need it.
        audience("Audience"): String = String::new();
        /// What tokens have to be good for (scope, scp). Empty: anything.
        scope("Scope"): String = String::new();
        /// The member of a token that is the mail address of its user.
        user_claim("UserClaim"): String = "email".to_owned();
        /// Where the provider is asked about each token (RFC 7662). Empty: its tokens are JSON Web Tokens that its keys verify.
        introspection_endpoint("IntrospectionEndpoint"): String = String::new();
        /// This server's name at the provider, to ask it about tokens.
        client_id("ClientId"): String = String::new();
        /// A file with the password that goes with ClientId.
        client_secret_file("ClientSecretFile"): String = String::new();
        /// A file with the certificates (PEM) that the provider's is trusted by. Empty: those that the system trusts.
        certificate_authority("CertificateAuthority"): String = String::new();
    }
}

impl OpenIdSettings {
    pub fn load(map: &SettingsMap) -> Result<Self, Invalid> {
        Self::read(map, ())
    }

    /// What is missing before anybody logs on by a token of the provider that is set.
    pub fn lacks(&self) -> Option<&'static str> {
        // RFC 8725 §3.9: else whatever the provider issued to anybody for anything would open mailboxes. A provider that is
        // asked about tokens may say no audience (RFC 7662 §2.2); then a scope tells whose they are.
        let is_signed = self.introspection_endpoint.is_empty();
        let is_open = self.audience.is_empty() && (is_signed || self.scope.is_empty());
        (!self.issuer.is_empty() && is_open).then_some(if is_signed {
            "JSON Web Tokens need an Audience to be held to; until it is set, none is taken."
        } else {
            "Tokens need an Audience or a Scope to be held to; until one is set, none is taken."
        })
    }
}
