use std::net::{IpAddr, Ipv4Addr};

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proto::logon::{Accepted, ClientToken, Context, ExtendedProtection, Question, Secret, SecurityContext};
use proto::sasl::{Exchange, Step};
use store::memory::Memory;
use store::{Address, ClientAccess, FullAccessChange, NewAccount, Source};

use super::*;
use crate::connection::Protocol;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));

async fn logon(failures: u32) -> (Logon, Arc<Memory>) {
    let store = Arc::new(Memory::new());
    let hashing = Hashing::new(4, Vault::fleeting().unwrap(), 4096).unwrap();
    store.add_domain("example.test").await.unwrap();
    let password = Some(hashing.hash(Secret::new("right".into()), false).await.unwrap());
    for (local, password) in [("ann", password), ("locked", None)] {
        let address = Address::parse(&format!("{local}@example.test")).unwrap();
        let account =
            NewAccount { address, aliases: Vec::new(), source: Source::Local, password, quota: None, created: 0 };
        store.create(account).await.unwrap();
    }
    (Logon::new(store.clone(), hashing, failures, Duration::from_secs(600), 2, "mail.example.test"), store)
}

fn client(remote: IpAddr) -> Client {
    Client {
        remote,
        protocol: Protocol::Imap,
        session: 1,
        max_connections: 2,
        tls: None,
        protection: ExtendedProtection::None,
        end_point: None,
        addresses: Vec::new(),
    }
}

async fn attempt(logon: &Logon, remote: IpAddr, user: &str, password: &str) -> Result<LoggedOn, Verdict> {
    let (authorization, user) = match user.split_once(" as ") {
        Some((user, authorization)) => (Some(authorization.to_owned()), user),
        None => (None, user),
    };
    let credentials = Credentials::Password {
        authorization,
        user: user.into(),
        password: Secret::new(password.into()),
        mechanism: Some(Mechanism::Plain),
    };
    logon.verify(&client(remote), &credentials).await
}

#[tokio::test]
async fn only_the_right_password_of_a_user_who_has_one_is_granted() {
    let (logon, _) = logon(60).await;
    for user in [
        "ann",
        "ann@example.test",
        "Ann@Example.Test",
        "EXAMPLE\\ann",
        "DESK\\Ann",
        "ann as ann@example.test",
        "ann as EXAMPLE\\ann",
        "EXAMPLE\\ann\\ann",
    ] {
        assert_eq!(attempt(&logon, HERE, user, "right").await.unwrap().account.address.as_str(), "ann@example.test");
    }
    for (user, password) in [
        ("ann", "wrong"),
        ("ann", ""),
        ("bob", "right"),
        ("locked", ""),
        ("ann@other.test", "right"),
        ("ann as locked", "right"),
        ("ann as bob", "right"),
        ("EXAMPLE\\ann\\locked", "right"),
        ("EXAMPLE\\ann\\bob", "right"),
        ("locked\\ann\\locked\\ann", "right"),
        ("not an address", "right"),
        ("", ""),
    ] {
        assert_eq!(attempt(&logon, HERE, user, password).await.unwrap_err(), Verdict::Refused, "{user} {password}");
    }
}

#[tokio::test]
async fn what_is_switched_off_while_the_password_is_hashed_is_off() {
    let (logon, store) = logon(60).await;
    let ann = store.find(&Address::parse("ann@example.test").unwrap()).await.unwrap().unwrap();
    let off = ClientAccess { protocols: Protocols { imap4: false, ..Protocols::ALL }, ntlm: false };
    let mut trying = std::pin::pin!(attempt(&logon, HERE, "ann", "right"));
    // It has read the account, and hashes.
    tokio::select! {
        biased;
        _ = &mut trying => panic!("nothing is hashed so soon"),
        () = std::future::ready(()) => {}
    }
    Directory::change(&*store, ann.id, AccountChange { access: Some(off), ..Default::default() }).await.unwrap();
    assert_eq!(trying.await.unwrap_err(), Verdict::Refused);
    // A right one is not remembered then, which would tell it from a wrong one.
    let (logon, store) = self::logon(60).await;
    let ann = store.find(&Address::parse("ann@example.test").unwrap()).await.unwrap().unwrap();
    Directory::change(&*store, ann.id, AccountChange { access: Some(off), ..Default::default() }).await.unwrap();
    assert_eq!(attempt(&logon, HERE, "ann", "right").await.unwrap_err(), Verdict::Refused);
    let hash = &ann.password.as_ref().unwrap().hash;
    assert!(!lock(&logon.remembered).knows(ann.id, hash, &Secret::new("right".into()), now()));
}

#[tokio::test]
async fn a_throttled_address_is_not_judged_and_another_is() {
    let (logon, _) = logon(3).await;
    // More at once than may fail: the rest is not judged.
    let verdicts = futures_of((0..8).map(|_| attempt(&logon, HERE, "ann", "wrong"))).await;
    let refused = verdicts.iter().filter(|v| matches!(v, Err(Verdict::Refused))).count();
    let throttled = verdicts.iter().filter(|v| matches!(v, Err(Verdict::Throttled))).count();
    assert_eq!((refused, throttled), (3, 5));
    assert_eq!(attempt(&logon, HERE, "ann", "right").await.unwrap_err(), Verdict::Throttled);
    assert!(attempt(&logon, THERE, "ann", "right").await.is_ok());
}

async fn futures_of<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(|future| (Some(Box::pin(future)), None)).collect();
    std::future::poll_fn(|cx| {
        for (future, output) in &mut futures {
            if let Some(running) = future
                && let std::task::Poll::Ready(ready) = running.as_mut().poll(cx)
            {
                (*future, *output) = (None, Some(ready));
            }
        }
        if futures.iter().all(|(future, _)| future.is_none()) {
            return std::task::Poll::Ready(());
        }
        std::task::Poll::Pending
    })
    .await;
    futures.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test]
async fn a_user_has_so_many_connections_and_gets_them_back() {
    let (logon, _) = logon(60).await;
    let first = attempt(&logon, HERE, "ann", "right").await.unwrap();
    let _second = attempt(&logon, THERE, "ann", "right").await.unwrap();
    let refused = attempt(&logon, HERE, "ann", "right").await.unwrap_err();
    assert_eq!(refused, Verdict::TooManyConnections { limit: 2 });
    drop(first);
    assert!(attempt(&logon, HERE, "ann", "right").await.is_ok());
}

#[tokio::test]
async fn a_changed_password_holds_at_once() {
    let (logon, store) = logon(60).await;
    let account = attempt(&logon, HERE, "ann", "right").await.unwrap().account.id;
    let password = logon.hashing().hash(Secret::new("new".into()), false).await.unwrap();
    let change = AccountChange { password: Some(Some(password)), ..Default::default() };
    store.change(account, change).await.unwrap();
    assert_eq!(attempt(&logon, HERE, "ann", "right").await.unwrap_err(), Verdict::Refused);
    assert!(attempt(&logon, HERE, "ann", "new").await.is_ok());
    store.remove(account).await.unwrap();
    assert_eq!(attempt(&logon, HERE, "ann", "new").await.unwrap_err(), Verdict::Refused);
}

/// A client's log-on by SCRAM-SHA-256 (RFC 5802 §3), from its first message to the verdict, and the server's last.
async fn scram(logon: &Logon, user: &str, password: &str) -> (Result<LoggedOn, Verdict>, Option<String>) {
    let bare = format!("n={user},r=client");
    let first = STANDARD.encode(format!("n,,{bare}"));
    let (mut exchange, step) = Exchange::begin(Mechanism::ScramSha256, Some(first.as_bytes()));
    let Step::Ask(Question::Look(lookup)) = step else { panic!("{step:?}") };
    let server_first = match exchange.told(logon.look(&client(HERE), &lookup, None).await) {
        Step::Challenge(challenge) => String::from_utf8(STANDARD.decode(challenge).unwrap()).unwrap(),
        Step::Done(verdict) => return (Err(verdict), None),
        step => panic!("{step:?}"),
    };
    let part = |name| server_first.split(',').find_map(|part| part.strip_prefix(name)).unwrap();
    let (salt, rounds) = (STANDARD.decode(part("s=")).unwrap(), part("i=").parse().unwrap());
    let mut salted = [0; 32];
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
    pbkdf2::derive(algorithm, NonZeroU32::new(rounds).unwrap(), &salt, password.as_bytes(), &mut salted);
    let sign = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    let key = sign(&salted, "Client Key");
    let without_proof = format!("c=biws,r={}", part("r="));
    let auth_message = format!("{bare},{server_first},{without_proof}");
    let signature = sign(digest::digest(&digest::SHA256, key.as_ref()).as_ref(), &auth_message);
    let proof: Vec<u8> = key.as_ref().iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
    let last = STANDARD.encode(format!("{without_proof},p={}", STANDARD.encode(proof)));
    let step = exchange.step(last.as_bytes());
    let Step::Ask(Question::Judge(credentials)) = step else { panic!("{step:?}") };
    let verified = logon.verify(&client(HERE), &credentials).await;
    let verdict = verified.as_ref().map_or_else(|verdict| *verdict, |_| Verdict::Granted);
    let Step::Challenge(server_last) = exchange.told(Finding::Verdict(verdict)) else { return (verified, None) };
    let expected = sign(sign(&salted, "Server Key").as_ref(), &auth_message);
    assert_eq!(STANDARD.decode(&server_last).unwrap(), format!("v={}", STANDARD.encode(expected)).into_bytes());
    (verified, Some(server_last))
}

#[tokio::test]
async fn scram_proves_both_sides_to_each_other_and_nothing_to_anybody_else() {
    let (logon, _) = logon(60).await;
    for user in ["ann", "Ann@Example.test"] {
        let (verified, server_last) = scram(&logon, user, "right").await;
        assert_eq!(verified.unwrap().account.address.as_str(), "ann@example.test");
        assert!(server_last.is_some());
    }
    for (user, password) in [("ann", "wrong"), ("locked", "right"), ("bob", "right"), ("not an address", "right")] {
        let (verified, server_last) = scram(&logon, user, password).await;
        assert_eq!(verified.unwrap_err(), Verdict::Refused, "{user} {password}");
        assert_eq!(server_last, None);
    }
}

#[tokio::test]
async fn scram_tells_nobody_who_has_a_mailbox() {
    let (logon, _) = logon(60).await;
    let salt = async |user: &str| {
        let lookup = Lookup::Scram { hash: scram::Hash::Sha256, user: user.into() };
        let Finding::Scram(finding) = logon.look(&client(HERE), &lookup, None).await else { panic!() };
        (finding.verifier.salt().to_vec(), finding.verifier.iterations())
    };
    for user in ["ann", "bob", "locked"] {
        // The same each time and in every form of the name, of the same length and cost.
        let shown = salt(user).await;
        assert_eq!(shown, salt(&user.to_uppercase()).await, "{user}");
        assert_eq!(shown, salt(&format!("{user}@example.test")).await, "{user}");
        // Also where another mailbox is named beside it.
        assert_eq!(shown, salt(&format!("EXAMPLE\\{user}\\nobody")).await, "{user}");
        assert_eq!((shown.0.len(), shown.1), (16, 4096), "{user}");
    }
}

#[tokio::test]
async fn failures_by_scram_count_and_a_throttled_address_learns_no_salt() {
    let (logon, _) = logon(2).await;
    for _ in 0..2 {
        assert_eq!(scram(&logon, "ann", "wrong").await.0.unwrap_err(), Verdict::Refused);
    }
    let throttled = Verdict::Throttled;
    assert_eq!(scram(&logon, "ann", "right").await.0.unwrap_err(), throttled);
    assert_eq!(attempt(&logon, HERE, "ann", "right").await.unwrap_err(), throttled);
}

#[tokio::test]
async fn a_proof_for_a_password_that_was_replaced_meanwhile_is_worth_nothing() {
    let (logon, store) = logon(60).await;
    let lookup = Lookup::Scram { hash: scram::Hash::Sha256, user: "ann".into() };
    let Finding::Scram(finding) = logon.look(&client(HERE), &lookup, None).await else { panic!() };
    let proved = Some(finding.verifier.stored_key().clone());
    let credentials =
        Credentials::Scram { authorization: None, user: "ann".into(), mechanism: Mechanism::ScramSha256, proved };
    let account = logon.verify(&client(HERE), &credentials).await.unwrap().account.id;
    let password = Some(Some(logon.hashing().hash(Secret::new("right".into()), false).await.unwrap()));
    store.change(account, AccountChange { password, ..Default::default() }).await.unwrap();
    assert_eq!(logon.verify(&client(HERE), &credentials).await.unwrap_err(), Verdict::Refused);
}

#[tokio::test]
async fn a_password_that_is_shown_is_kept_as_it_is_now_and_stays_the_same_one() {
    let (logon, store) = logon(60).await;
    let ann = store.find(&Address::parse("ann@example.test").unwrap()).await.unwrap().unwrap();
    // As one that was set before there were verifiers, and with a weaker hash.
    let weak = {
        let params = argon2::Params::new(8, 1, 1, None).unwrap();
        let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params.clone());
        let hasher: &dyn argon2::password_hash::CustomizedPasswordHasher<_, Params = _> = &argon2;
        hasher.hash_password_customized(b"right", b"saltsaltsaltsalt", None, None, params).unwrap().to_string()
    };
    let password = Some(Some(store::Password::hashed(weak.clone())));
    store.change(ann.id, AccountChange { password, ..Default::default() }).await.unwrap();
    assert_eq!(scram(&logon, "ann", "right").await.0.unwrap_err(), Verdict::Refused);
    let first = attempt(&logon, HERE, "ann", "right").await.unwrap();
    let renewed = loop {
        let kept = store.account(ann.id).await.unwrap().unwrap().password.clone().unwrap();
        if kept.hash.0 != weak {
            break kept;
        }
        tokio::task::yield_now().await;
    };
    assert!(scram(&logon, "ann", "right").await.0.is_ok());
    drop(attempt(&logon, HERE, "ann", "right").await.unwrap());
    assert_eq!(store.account(ann.id).await.unwrap().unwrap().password, Some(renewed), "once is enough");
    // Who was logged on before is so still.
    tokio::select! {
        biased;
        () = async { first.over().wait_for_end().await } => panic!("the log-on ended"),
        () = std::future::ready(()) => {}
    }
}

/// Wrong passwords at a name, each from a network of its own.
async fn guess(logon: &Logon, user: &str, count: u8) {
    for n in 0..count {
        let verdict = attempt(logon, IpAddr::from([10, 0, n, 1]), user, &format!("wrong {n}")).await.unwrap_err();
        assert_eq!(verdict, Verdict::Refused, "{user} {n}");
    }
}

#[tokio::test(start_paused = true)]
async fn guesses_from_everywhere_keep_strangers_waiting_and_not_the_owner() {
    let (logon, _) = logon(60).await;
    let waited = async |remote, user, password| {
        let before = now();
        let granted = attempt(&logon, remote, user, password).await.is_ok();
        (granted, now() - before)
    };
    assert_eq!(waited(HERE, "ann", "right").await, (true, Duration::ZERO));
    // Whether anybody has the name is not told by it.
    guess(&logon, "nobody", 18).await;
    let (_, nobody) = waited(THERE, "nobody", "wrong").await;
    guess(&logon, "ann", 18).await;
    assert_eq!(waited(HERE, "ann", "right").await, (true, Duration::ZERO));
    let (granted, ann) = waited(THERE, "ann", "wrong").await;
    assert!(!granted && ann > Duration::from_secs(5), "{ann:?}");
    assert!(nobody.abs_diff(ann) < Duration::from_millis(100), "{nobody:?} {ann:?}");
    assert_eq!(waited(HERE, "EXAMPLE\\Ann", "wrong").await, (false, Duration::ZERO));
    let (granted, late) = waited(THERE, "ann", "right").await;
    assert!(granted && late > Duration::from_secs(5), "{late:?}");
    assert_eq!(waited(THERE, "ann", "right").await, (true, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn an_owner_at_a_known_address_gets_in_though_its_neighbours_are_throttled() {
    let (logon, _) = logon(5).await;
    assert!(attempt(&logon, HERE, "ann", "right").await.is_ok());
    for _ in 0..5 {
        assert_eq!(attempt(&logon, HERE, "bob", "wrong").await.unwrap_err(), Verdict::Refused);
    }
    assert_eq!(attempt(&logon, HERE, "bob", "wrong").await.unwrap_err(), Verdict::Throttled);
    assert!(attempt(&logon, HERE, "ann", "right").await.is_ok());
    assert!(scram(&logon, "ann", "right").await.0.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_app_password_is_no_guess_and_waits_for_nothing() {
    let (logon, store) = logon(60).await;
    let ann = store.find(&Address::parse("ann@example.test").unwrap()).await.unwrap().unwrap();
    let made = generate().unwrap();
    let app = AppPassword {
        name: "Phone".into(),
        digest: digest_of(&made).unwrap(),
        protocols: Protocols::ALL,
        created: 0,
        expires: None,
        last_used: None,
    };
    let app_password = Some(AppPasswordChange::Add(app));
    Directory::change(&*store, ann.id, AccountChange { app_password, ..Default::default() }).await.unwrap();
    guess(&logon, "ann", 18).await;
    let before = now();
    assert!(attempt(&logon, THERE, "ann", &made).await.is_ok());
    assert_eq!(now(), before);
}

#[tokio::test]
async fn where_owners_were_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let record = Recorder::open(folder.path()).unwrap();
    let (before, _) = logon(60).await;
    let before = before.recorded(record.clone());
    assert!(attempt(&before, HERE, "ann", "right").await.is_ok());
    assert!(attempt(&before, THERE, "ann", "wrong").await.is_err());
    while record.recent(None, 2).unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    let (after, _) = logon(60).await;
    let after = after.recorded(record);
    assert!(!after.guard.attempt(HERE, "ann@example.test").is_known);
    after.recall();
    while !after.guard.attempt(HERE, "ann@example.test").is_known {
        tokio::task::yield_now().await;
    }
    assert!(!after.guard.attempt(THERE, "ann@example.test").is_known);
}

#[tokio::test]
async fn a_password_that_has_expired_is_told_to_its_owner_alone() {
    let (logon, store) = logon(60).await;
    let day = Duration::from_secs(24 * 60 * 60);
    let logon = logon.with_password_lifetime(day);
    assert!(attempt(&logon, HERE, "ann", "right").await.is_ok());
    let ann = store.find(&Address::parse("ann@example.test").unwrap()).await.unwrap().unwrap();
    let mut password = ann.password.clone().unwrap();
    password.set -= 24 * 60 * 60;
    let password = Some(Some(password));
    Directory::change(&*store, ann.id, AccountChange { password, ..Default::default() }).await.unwrap();
    for _ in 0..2 {
        assert_eq!(attempt(&logon, HERE, "ann", "right").await.unwrap_err(), Verdict::Expired);
        assert_eq!(scram(&logon, "ann", "right").await.0.unwrap_err(), Verdict::Expired);
        assert_eq!(attempt(&logon, HERE, "ann", "wrong").await.unwrap_err(), Verdict::Refused);
    }
}

#[tokio::test]
async fn a_ticket_opens_the_mailbox_of_its_principal_and_no_other() {
    let (logon, store) = logon(60).await;
    store.add_domain("other.test").await.unwrap();
    let verify = async |principal: &str, authorization: Option<&str>| {
        let (authorization, principal) = (authorization.map(str::to_owned), principal.to_owned());
        let credentials = Credentials::Kerberos { authorization, principal, mechanism: Mechanism::Gssapi };
        logon.verify(&client(HERE), &credentials).await
    };
    for (principal, authorization) in [
        ("ann@EXAMPLE.TEST", None),
        ("Ann@EXAMPLE.TEST", Some("ann")),
        ("ann@EXAMPLE.TEST", Some("ann@example.test")),
        ("locked@EXAMPLE.TEST", None),
    ] {
        assert!(verify(principal, authorization).await.is_ok(), "{principal} {authorization:?}");
    }
    for (principal, authorization) in [
        ("ann@EXAMPLE.TEST", Some("locked")),
        ("ann@EXAMPLE.TEST", Some("ann@other.test")),
        ("ann@OTHER.TEST", None),
        ("ann@OTHER.TEST", Some("ann@example.test")),
        ("ann@ELSEWHERE.TEST", None),
        ("ann@ELSEWHERE.TEST", Some("ann")),
        ("imap/ann@EXAMPLE.TEST", None),
        ("bob@EXAMPLE.TEST", None),
    ] {
        let verdict = verify(principal, authorization).await.unwrap_err();
        assert_eq!(verdict, Verdict::Refused, "{principal} {authorization:?}");
    }
}

/// A context that takes no token.
struct TakesNone;

impl SecurityContext for TakesNone {
    fn accept(&self, _: &[u8]) -> Result<Accepted, String> {
        Err("forged".to_owned())
    }

    fn wrap(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn unwrap(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

#[tokio::test]
async fn tickets_that_are_not_taken_count_as_failures() {
    let (logon, _) = logon(2).await;
    let context = Some(Context(Arc::new(TakesNone)));
    let token = Lookup::Gss(ClientToken { mechanism: Mechanism::Gssapi, context, octets: b"ticket".to_vec() });
    for _ in 0..2 {
        assert_eq!(logon.look(&client(HERE), &token, None).await, Finding::Verdict(Verdict::Refused));
    }
    let throttled = Verdict::Throttled;
    assert_eq!(logon.look(&client(HERE), &token, None).await, Finding::Verdict(throttled));
    assert_eq!(attempt(&logon, HERE, "ann", "right").await.unwrap_err(), throttled);
    assert!(attempt(&logon, THERE, "ann", "right").await.is_ok());
}

#[tokio::test]
async fn whoever_has_the_right_opens_anothers_mailbox_by_its_own_password_until_it_is_taken_away() {
    let (logon, store) = logon(60).await;
    let find = async |local: &str| {
        let address = Address::parse(&format!("{local}@example.test")).unwrap();
        store.find(&address).await.unwrap().unwrap()
    };
    let (ann, locked) = (find("ann").await, find("locked").await);
    let change = async |full_access| {
        let change = AccountChange { full_access: Some(full_access), ..Default::default() };
        Directory::change(&*store, locked.id, change).await.unwrap();
    };
    let forms = ["EXAMPLE\\ann\\locked", "ann as locked", "ann@example.test as locked@example.test"];
    for form in forms {
        assert_eq!(attempt(&logon, HERE, form, "right").await.unwrap_err(), Verdict::Refused, "{form}");
    }
    change(FullAccessChange::Give(ann.id)).await;
    for form in forms {
        let open = attempt(&logon, HERE, form, "right").await.unwrap();
        assert_eq!(open.account.id, locked.id, "{form}");
        assert_eq!(attempt(&logon, HERE, form, "wrong").await.unwrap_err(), Verdict::Refused, "{form}");
    }
    assert_eq!(attempt(&logon, HERE, "ann", "right").await.unwrap().account.id, ann.id);
    // Two mailboxes at once are none.
    assert!(attempt(&logon, HERE, "EXAMPLE\\ann\\locked as bob", "right").await.is_err());
    for revoked in [ann.id, locked.id] {
        let open = attempt(&logon, HERE, forms[0], "right").await.unwrap();
        logon.revoke(revoked);
        open.over().wait_for_end().await;
    }
    let by_smtp = Client { protocol: Protocol::Smtp, ..client(HERE) };
    let credentials = Credentials::Password {
        authorization: None,
        user: forms[0].to_owned(),
        password: Secret::new("right".into()),
        mechanism: None,
    };
    assert_eq!(logon.verify(&by_smtp, &credentials).await.unwrap_err(), Verdict::Refused);
    let off = ClientAccess { protocols: Protocols { imap4: false, ..Protocols::ALL }, ntlm: false };
    Directory::change(&*store, locked.id, AccountChange { access: Some(off), ..Default::default() }).await.unwrap();
    assert_eq!(attempt(&logon, HERE, forms[0], "right").await.unwrap_err(), Verdict::Refused);
    let on = ClientAccess::default();
    Directory::change(&*store, locked.id, AccountChange { access: Some(on), ..Default::default() }).await.unwrap();
    change(FullAccessChange::Take(ann.id)).await;
    assert_eq!(attempt(&logon, HERE, forms[0], "right").await.unwrap_err(), Verdict::Refused);
}

#[tokio::test(start_paused = true)]
async fn a_device_with_an_old_password_keeps_its_owner_waiting_for_nothing() {
    let (logon, _) = logon(60).await;
    assert!(attempt(&logon, HERE, "ann", "right").await.is_ok());
    let before = now();
    for _ in 0..100 {
        assert_eq!(attempt(&logon, HERE, "ann", "an old one").await.unwrap_err(), Verdict::Refused);
    }
    assert!(attempt(&logon, HERE, "ann", "right").await.is_ok());
    assert_eq!(now(), before);
    for n in 0..30 {
        let _ = attempt(&logon, HERE, "ann", &format!("guess {n}")).await;
    }
    assert!(now() > before, "guesses are not free");
}

#[tokio::test(start_paused = true)]
async fn all_names_of_a_user_count_as_one() {
    let (logon, store) = logon(60).await;
    let ann = store.find(&Address::parse("ann@example.test").unwrap()).await.unwrap().unwrap();
    let aliases = (0..20).map(|n| Address::parse(&format!("alias{n}@example.test")).unwrap()).collect();
    let change = AccountChange { aliases: Some(aliases), ..Default::default() };
    Directory::change(&*store, ann.id, change).await.unwrap();
    let before = now();
    for n in 0..20u8 {
        let from = IpAddr::from([10, 0, n, 1]);
        assert!(attempt(&logon, from, &format!("alias{n}"), &format!("guess {n}")).await.is_err());
    }
    assert!(now() - before > Duration::from_secs(10), "{:?}", now() - before);
}

#[tokio::test]
async fn what_nobody_guesses_makes_no_address_known() {
    let (logon, _) = logon(3).await;
    let client = Client { addresses: vec!["ann@example.test".to_owned()], ..client(HERE) };
    let by = |name: &str| Credentials::Certificate { authorization: Some(name.to_owned()) };
    assert!(logon.verify(&client, &by("ann@example.test")).await.is_ok());
    for _ in 0..3 {
        assert_eq!(logon.verify(&client, &by("locked@example.test")).await.unwrap_err(), Verdict::Refused);
    }
    assert_eq!(logon.verify(&client, &by("locked@example.test")).await.unwrap_err(), Verdict::Throttled);
    // Its owner is known there by that, and not kept out.
    assert!(attempt(&logon, HERE, "ann", "right").await.is_ok());
}
