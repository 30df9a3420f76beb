//! What a token has to say to be taken, whoever vouches for it.

use std::borrow::Cow;

use management::settings::OpenIdSettings;
use serde_json::{Map, Value};

/// The members of a token's payload (RFC 7519 §4), or of what the provider says of it (RFC 7662 §2.2).
pub type Claims = Map<String, Value>;

/// Who vouches for what is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The provider's signature: all that is asked for has to stand in the token.
    Signed,
    /// The provider itself, just now: `iss` and `exp` may be left to it (RFC 7662 §2.2).
    Introspected,
}

/// Which tokens are taken.
pub struct Policy {
    issuer: String,
    audience: Option<String>,
    scope: String,
    user_claim: String,
}

/// By how much the provider's clock and ours may differ, in seconds (RFC 7519 §4.1.4).
const SKEW: f64 = 60.0;

impl Policy {
    pub fn new(settings: &OpenIdSettings) -> Self {
        Self {
            issuer: settings.issuer.clone(),
            audience: Some(settings.audience.clone()).filter(|audience| !audience.is_empty()),
            scope: settings.scope.clone(),
            user_claim: settings.user_claim.clone(),
        }
    }

    /// The mail address of the token's user. `time` is in seconds since 1970.
    pub fn user(&self, claims: &Claims, source: Source, time: u64) -> Result<String, Cow<'static, str>> {
        self.holds_of(claims, source, time)?;
        let claim = self.user_claim.as_str();
        let address = claims.get(claim).and_then(Value::as_str).filter(|address| address.contains('@'));
        let Some(address) = address else {
            return Err(format!("the token's {claim:?} (OpenId.UserClaim) is no mail address").into());
        };
        // OpenID Connect Core §5.1: anybody can have claimed an address that the provider has not verified.
        let unverified = claims.get("email_verified").is_some_and(|said| said == false || said == "false");
        if claim == "email" && unverified {
            return Err("the provider has not verified the address in the token (email_verified)".into());
        }
        Ok(address.to_owned())
    }

    fn holds_of(&self, claims: &Claims, source: Source, time: u64) -> Result<(), &'static str> {
        let is_signed = source == Source::Signed;
        // RFC 7519 §4.1.1, OpenID Connect Core §3.1.3.7: to the letter.
        match claims.get("iss") {
            Some(Value::String(issuer)) if *issuer == self.issuer => {}
            None if !is_signed => {}
            _ => return Err("the token is another provider's (iss is not OpenId.Issuer)"),
        }
        // RFC 7519 §4.1.3: one, or a list that we have to be in.
        if let Some(audience) = &self.audience
            && !texts(claims.get("aud")).any(|one| one == audience)
        {
            return Err("the token is for another server (OpenId.Audience is not in aud)");
        }
        #[allow(clippy::cast_precision_loss, reason = "exact for as long as there are years of four digits")]
        let time = time as f64;
        // RFC 7519 §4.1.4: on or after it the token must not be taken.
        match claims.get("exp").map(Value::as_f64) {
            Some(Some(expires)) if time < expires + SKEW => {}
            Some(Some(_)) => return Err("the token has expired (exp)"),
            None if !is_signed => {}
            _ => return Err("the token does not say when it expires (exp)"),
        }
        // RFC 7519 §4.1.5: not before it.
        match claims.get("nbf").map(Value::as_f64) {
            None => {}
            Some(Some(begins)) if begins <= time + SKEW => {}
            Some(_) => return Err("the token is not valid yet (nbf)"),
        }
        // RFC 8693 §4.2, RFC 7662 §2.2: names with spaces between. Elsewhere `scp`, and a list.
        let has = |wanted: &str| {
            let said = ["scope", "scp"].into_iter().flat_map(|name| texts(claims.get(name)));
            said.flat_map(|names| names.split(' ')).any(|name| name == wanted)
        };
        if !self.scope.split(' ').filter(|wanted| !wanted.is_empty()).all(has) {
            return Err("the token is not good for mail (OpenId.Scope is not in scope or scp)");
        }
        Ok(())
    }
}

/// A text, or those in a list.
fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = match value {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    list.iter().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_000_000_000;

    fn policy() -> Policy {
        Policy {
            issuer: "https://id.example.test".into(),
            audience: Some("mail".into()),
            scope: "imap smtp".into(),
            user_claim: "email".into(),
        }
    }

    /// What is taken, with one member replaced, or left out when it is null.
    fn claims(name: &str, value: Value) -> Claims {
        let good = json!({
            "iss": "https://id.example.test", "aud": "mail", "exp": NOW + 600, "nbf": NOW - 1,
            "scope": "openid imap smtp", "email": "ann@example.test",
        });
        let Value::Object(mut claims) = good else { panic!() };
        claims.insert(name.into(), value);
        claims.retain(|_, value| !value.is_null());
        claims
    }

    fn is_taken(name: &str, value: Value, source: Source) -> bool {
        let taken = policy().user(&claims(name, value), source, NOW);
        assert!(taken.as_ref().is_err() || taken == Ok("ann@example.test".into()));
        taken.is_ok()
    }

    #[test]
    fn every_claim_is_held_to_the_policy() {
        // A member, its value, and whether it is taken signed and when it was asked for.
        for (name, value, signed, introspected) in [
            ("other", json!(1), true, true),
            ("iss", json!("https://id.example.test/"), false, false),
            ("iss", json!(["https://id.example.test"]), false, false),
            ("iss", json!("https://other.test"), false, false),
            ("iss", Value::Null, false, true),
            ("aud", json!(["else", "mail"]), true, true),
            ("aud", json!("else"), false, false),
            ("aud", json!("mail else"), false, false),
            ("aud", json!([]), false, false),
            ("aud", json!({"mail": 1}), false, false),
            ("aud", Value::Null, false, false),
            ("exp", json!(NOW - 59), true, true),
            ("exp", json!(NOW - 60), false, false),
            ("exp", json!(1.5e9), true, true),
            ("exp", json!("9999999999"), false, false),
            ("exp", Value::Null, false, true),
            ("nbf", json!(NOW + 60), true, true),
            ("nbf", json!(NOW + 61), false, false),
            ("nbf", json!("0"), false, false),
            ("nbf", Value::Null, true, true),
            ("scope", json!("imap"), false, false),
            ("scope", json!("imap smtps"), false, false),
            ("scope", json!(["imap", "smtp"]), true, true),
            ("scope", Value::Null, false, false),
            ("email", Value::Null, false, false),
            ("email", json!("ann"), false, false),
            ("email", json!(["ann@example.test"]), false, false),
            ("email_verified", json!(true), true, true),
            ("email_verified", json!(false), false, false),
            ("email_verified", json!("false"), false, false),
        ] {
            assert_eq!(is_taken(name, value.clone(), Source::Signed), signed, "{name} {value}");
            assert_eq!(is_taken(name, value.clone(), Source::Introspected), introspected, "{name} {value}");
        }
    }

    #[test]
    fn a_list_named_scp_is_as_good_as_scope() {
        let mut claims = claims("scope", Value::Null);
        for (scp, taken) in [(json!(["imap", "smtp"]), true), (json!("smtp imap"), true), (json!(["imap"]), false)] {
            claims.insert("scp".into(), scp.clone());
            assert_eq!(policy().user(&claims, Source::Signed, NOW).is_ok(), taken, "{scp}");
        }
    }

    #[test]
    fn without_a_scope_or_an_audience_in_the_settings_any_is_good() {
        let policy = Policy { audience: None, scope: String::new(), ..policy() };
        for name in ["aud", "scope"] {
            assert!(policy.user(&claims(name, Value::Null), Source::Introspected, NOW).is_ok(), "{name}");
        }
    }

    #[test]
    fn the_user_is_in_the_claim_that_the_settings_name() {
        let policy = Policy { user_claim: "upn".into(), ..policy() };
        let mut claims = claims("email_verified", json!(false));
        assert!(policy.user(&claims, Source::Signed, NOW).is_err());
        claims.insert("upn".into(), "bob@example.test".into());
        assert_eq!(policy.user(&claims, Source::Signed, NOW), Ok("bob@example.test".into()));
    }
}
