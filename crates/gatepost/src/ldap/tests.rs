use std::time::Duration;

use store::memory::Memory;
use store::{Address, Entry, NewAccount, SettingsMap};
use tokio::net::TcpListener;

use super::*;

fn address(local: &str) -> Address {
    Address::parse(&format!("{local}@example.test")).unwrap()
}

fn settings(servers: &str) -> LdapSettings {
    let defaults = LdapSettings::load(&SettingsMap::new()).unwrap();
    LdapSettings { servers: servers.into(), search_base: "dc=example,dc=test".into(), ..defaults }
}

/// A store with Ann, who is of here, and Dora, whom the directory had at that time.
async fn store(seen: Timestamp) -> Arc<Memory> {
    let store = Arc::new(Memory::new());
    store.add_domain("example.test").await.unwrap();
    let entry = Entry { name: "uid=dora".into(), id: "7".into(), seen: Some(seen), verified: None };
    for (local, source) in [("ann", Source::Local), ("dora", Source::Directory(entry))] {
        let (address, aliases) = (address(local), Vec::new());
        store.create(NewAccount { address, aliases, source, password: None, quota: None, created: 0 }).await.unwrap();
    }
    store
}

async fn directory(settings: &LdapSettings, seen: Timestamp) -> Arc<LdapDirectory> {
    LdapDirectory::new(store(seen).await, settings).unwrap()
}

#[tokio::test]
async fn while_nothing_can_be_asked_nobody_is_unknown_and_who_is_of_here_is_found() {
    let now = crate::clock::now();
    let lacking = LdapSettings { search_base: "".into(), ..settings("ldap://localhost") };
    let wrong = settings("http://localhost");
    let unread = LdapSettings { certificate_authority: "/nowhere".into(), ..settings("ldap://localhost") };
    let nameless = LdapSettings { bind_dn: "cn=a".into(), ..settings("ldap://localhost") };
    let unfiltered = LdapSettings { user_filter: "person".into(), ..settings("ldap://localhost") };
    for settings in [lacking, wrong, unread, nameless, unfiltered] {
        let ldap = directory(&settings, now).await;
        assert_eq!(ldap.find(&address("ann")).await.unwrap().unwrap().address, address("ann"));
        assert_eq!(ldap.find(&address("dora")).await.unwrap().unwrap().address, address("dora"));
        assert!(matches!(ldap.find(&address("nobody")).await, Err(Error::Unavailable(_))));
        assert!(matches!(ldap.find_by_name("nobody").await, Err(Error::Unavailable(_))));
        assert_eq!(ldap.find_by_name("no\0body").await, Ok(None));
        assert_eq!(ldap.find(&Address::parse("nobody@elsewhere.test").unwrap()).await, Ok(None));
        assert!(ldap.check("uid=dora", &Secret::new("x".into())).await.is_err());
    }
    assert!(LdapDirectory::new(store(now).await, &settings("")).is_none());
}

#[tokio::test]
async fn what_is_known_holds_for_the_stale_time_and_no_longer() {
    let (now, hour) = (crate::clock::now(), Duration::from_secs(3600));
    let away = LdapSettings { stale_time: hour, search_base: "".into(), ..settings("ldap://localhost") };
    for (seen, is_known) in [(now, true), (now - 3000, true), (now - 3600, false)] {
        assert_eq!(directory(&away, seen).await.find(&address("dora")).await.is_ok(), is_known, "{seen}");
    }
    let ldap = directory(&away, now).await;
    assert!(ldap.is_within(Some(1), 3600) && !ldap.is_within(Some(1), 3601) && !ldap.is_within(None, 0));
    assert!(!ldap.is_to_be_written(Some(1), 900) && ldap.is_to_be_written(Some(1), 901));
    assert!(ldap.is_to_be_written(None, 0) && ldap.is_to_be_written(Some(2), 1), "a clock may be set back");
    let never = LdapSettings { stale_time: Duration::ZERO, ..away };
    let ldap = directory(&never, now).await;
    assert!(ldap.find(&address("dora")).await.is_err());
    assert!(!ldap.is_within(Some(1), 1) && !ldap.is_to_be_written(None, 1));
}

/// Time is virtual: it passes when nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up_and_waited_for_by_one_at_a_time() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ldap://{}", silent.local_addr().unwrap());
    let ldap = directory(&settings(&url), 0).await;
    let why = ldap.find(&address("nobody")).await.unwrap_err().to_string();
    assert!(why.contains(&url) && why.contains("no answer within 5 seconds"), "{why}");
    let (nobody, other) = (address("nobody"), address("other"));
    let (first, second) = tokio::join!(ldap.find(&nobody), ldap.find(&other));
    assert!(first.unwrap_err().to_string().contains("no answer"));
    assert!(second.unwrap_err().to_string().contains("is being tried"));
}
