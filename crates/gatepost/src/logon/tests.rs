use std::net::Ipv4Addr;

use proto::logon::Mechanism;
use store::NewAccount;
use store::memory::Memory;

use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));

async fn logon(failures: u32) -> (Logon, Arc<Memory>) {
    let store = Arc::new(Memory::new());
    let hashing = Hashing::new(4).unwrap();
    store.add_domain("example.test").await.unwrap();
    let password = Some(hashing.hash(Secret::new("right".into())).await.unwrap());
    for (local, password) in [("ann", password), ("locked", None)] {
        let address = Address::parse(&format!("{local}@example.test")).unwrap();
        let account = NewAccount { address, aliases: Vec::new(), password, quota: None, created: 0 };
        store.create(account).await.unwrap();
    }
    (Logon::new(store.clone(), hashing, failures, Duration::from_secs(600), 2), store)
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
    let attempt =
        Attempt { credentials: &credentials, remote, protocol: Protocol::Imap, session: 1, max_connections: 2 };
    logon.verify(attempt).await
}

#[tokio::test]
async fn only_the_right_password_of_a_user_who_has_one_is_granted() {
    let (logon, _) = logon(60).await;
    for user in ["ann", "ann@example.test", "Ann@Example.Test", "ann as ann@example.test"] {
        assert_eq!(attempt(&logon, HERE, user, "right").await.unwrap().account.address.as_str(), "ann@example.test");
    }
    for (user, password) in [
        ("ann", "wrong"),
        ("ann", ""),
        ("bob", "right"),
        ("locked", ""),
        ("ann@other.test", "right"),
        ("ann as locked", "right"),
        ("not an address", "right"),
        ("", ""),
    ] {
        assert_eq!(attempt(&logon, HERE, user, password).await.unwrap_err(), Verdict::Refused, "{user} {password}");
    }
}

#[tokio::test]
async fn a_throttled_address_is_not_judged_and_another_is() {
    let (logon, _) = logon(3).await;
    // More at once than may fail: the rest is not judged.
    let verdicts = futures_of((0..8).map(|_| attempt(&logon, HERE, "ann", "wrong"))).await;
    let refused = verdicts.iter().filter(|v| matches!(v, Err(Verdict::Refused))).count();
    let throttled = verdicts.iter().filter(|v| matches!(v, Err(Verdict::Throttled { limit: 3 }))).count();
    assert_eq!((refused, throttled), (3, 5));
    assert_eq!(attempt(&logon, HERE, "ann", "right").await.unwrap_err(), Verdict::Throttled { limit: 3 });
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
    let password = logon.hashing().hash(Secret::new("new".into())).await.unwrap();
    let change = store::AccountChange { password: Some(Some(password)), ..Default::default() };
    store.change(account, change).await.unwrap();
    assert_eq!(attempt(&logon, HERE, "ann", "right").await.unwrap_err(), Verdict::Refused);
    assert!(attempt(&logon, HERE, "ann", "new").await.is_ok());
    store.remove(account).await.unwrap();
    assert_eq!(attempt(&logon, HERE, "ann", "new").await.unwrap_err(), Verdict::Refused);
}
