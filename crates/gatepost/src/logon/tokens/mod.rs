//! Tokens of an OpenID provider: whether one is good, and whose it is.
//!
//! Either the provider's keys verify it here ([`keys`], [`jwt`]), or the provider is asked about it
//! ([`introspection`]). What it says is held to one policy in both cases ([`claims`]).

mod claims;
mod http;
mod introspection;
mod jwt;
mod keys;
mod log_on;

use std::borrow::Cow;
use std::path::Path;
use std::time::Instant;

use management::settings::OpenIdSettings;
use proto::logon::BearerServer;

use claims::{Policy, Source};
use http::{Http, Url};
use introspection::Introspection;
use keys::Keys;
pub use log_on::Whose;

/// What is taken of which provider.
#[derive(Default)]
pub struct Tokens {
    provider: Option<Provider>,
}

struct Provider {
    policy: Policy,
    way: Way,
    told: BearerServer,
}

enum Way {
    Keys(Keys),
    Introspection(Introspection),
}

/// Why a token is not taken; for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    Refused(Cow<'static, str>),
    /// The provider could not be asked.
    Unavailable(String),
}

impl Tokens {
    /// `Err` says what of the settings does not do.
    pub fn new(settings: &OpenIdSettings) -> Result<Self, String> {
        if settings.issuer.is_empty() {
            return Ok(Self::default());
        }
        if let Some(lacks) = settings.lacks() {
            return Err(lacks.to_owned());
        }
        let http = Http::new(&settings.certificate_authority)?;
        let policy = Policy::new(settings);
        let discovery = format!("{}/.well-known/openid-configuration", settings.issuer.trim_end_matches('/'));
        let configuration = Url::parse(&discovery).map_err(|why| format!("OpenId.Issuer: {why}"))?;
        let way = if settings.introspection_endpoint.is_empty() {
            Way::Keys(Keys::new(http, settings.issuer.clone(), configuration))
        } else {
            let endpoint = Url::parse(&settings.introspection_endpoint)
                .map_err(|why| format!("OpenId.IntrospectionEndpoint: {why}"))?;
            let file = Path::new(&settings.client_secret_file);
            Way::Introspection(Introspection::new(http, endpoint, &settings.client_id, file)?)
        };
        let told = BearerServer { scope: settings.scope.clone(), configuration: discovery };
        Ok(Self { provider: Some(Provider { policy, way, told }) })
    }

    /// There is a provider whose tokens are taken.
    pub fn are_taken(&self) -> bool {
        self.provider.is_some()
    }

    /// What a client is told whose token is refused.
    pub fn told(&self) -> BearerServer {
        self.provider.as_ref().map(|provider| provider.told.clone()).unwrap_or_default()
    }

    /// The mail address of the user whom the token was issued for. `time` is in seconds since 1970.
    pub async fn whose(&self, token: &str, time: u64, now: Instant) -> Result<String, Fault> {
        let Some(provider) = &self.provider else { return Err(refused("no provider's tokens are taken")) };
        if token.is_empty() {
            return Err(refused("the client has no token and asks where to get one"));
        }
        let (claims, source) = match &provider.way {
            Way::Keys(keys) => (keys.claims_of(token, now).await?, Source::Signed),
            Way::Introspection(introspection) => (introspection.claims_of(token, now).await?, Source::Introspected),
        };
        provider.policy.user(&claims, source, time).map_err(Fault::Refused)
    }
}

fn refused(reason: &'static str) -> Fault {
    Fault::Refused(Cow::Borrowed(reason))
}

#[cfg(test)]
mod tests;
