//! Every command, run in a server that is only a store in memory and two flags.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod connectors;

use std::sync::Mutex;

use management::settings::{LdapSettings, OpenIdSettings, ServerSettings, SmtpSettings};
use management::{
    BackedUp, Connectors, LogOn, LogOns, Outcome, Passwords, Port, RestoredMailbox, Service, ServiceSettings, Services,
    StartedWith, StoreMaintenance, Verified, World, find, parse_line,
};
use serde_json::{Value, json};
use store::memory::Memory;
use store::{
    AccountId, Address, AppPasswordDigest, Directory, Future, Mailboxes, Password, SealedVerifiers, Settings,
    SettingsMap, Timestamp,
};
use transport::ReceiveConnector;

struct Server {
    store: Memory,
    running: Mutex<Vec<(Service, ServiceSettings)>>,
    revoked: Mutex<Vec<AccountId>>,
    faults: Mutex<Vec<String>>,
    backups: Mutex<Vec<String>>,
    connectors: Mutex<Vec<ReceiveConnector>>,
    started_with: StartedWith,
}

impl Default for Server {
    fn default() -> Self {
        let none = SettingsMap::new();
        let started_with = StartedWith {
            server: ServerSettings::load(&none).unwrap(),
            smtp: SmtpSettings::load(&none).unwrap(),
            open_id: OpenIdSettings::load(&none).unwrap(),
            ldap: LdapSettings::load(&none).unwrap(),
        };
        let (store, running, revoked, faults, backups) = Default::default();
        let addresses = [[0, 0, 0, 0].into()];
        let connectors =
            vec![ReceiveConnector::default_connector(&addresses), ReceiveConnector::client_connector(&addresses)];
        Self { store, running, revoked, faults, backups, started_with, connectors: Mutex::new(connectors) }
    }
}

impl World for Server {
    fn directory(&self) -> &dyn Directory {
        &self.store
    }
    fn settings(&self) -> &dyn Settings {
        &self.store
    }
    fn mailboxes(&self) -> &dyn Mailboxes {
        &self.store
    }
    fn services(&self) -> &dyn Services {
        self
    }
    fn connectors(&self) -> &dyn Connectors {
        self
    }
    fn started_with(&self) -> &StartedWith {
        &self.started_with
    }
    fn has_kerberos(&self) -> bool {
        false
    }
    fn passwords(&self) -> &dyn Passwords {
        self
    }
    fn log_ons(&self) -> &dyn LogOns {
        self
    }

    fn maintenance(&self) -> &dyn StoreMaintenance {
        self
    }
    fn now(&self) -> Timestamp {
        1_000_000_000
    }
}

impl Services for Server {
    fn running(&self, service: Service) -> Option<ServiceSettings> {
        self.running.lock().unwrap().iter().find(|(one, _)| *one == service).map(|(_, settings)| settings.clone())
    }
    fn failure(&self, service: Service) -> Option<String> {
        let failed = service == Service::Imap4 && self.running(service).is_none();
        failed.then(|| "IMAP4 was not started: its port is taken".to_owned())
    }
    fn start(&self, service: Service) -> Future<'_, Port<()>> {
        Box::pin(async move {
            let map = self.store.snapshot().await.map_err(|error| error.to_string())?;
            let settings = ServiceSettings::load(&map, service).map_err(|invalid| invalid.to_string())?;
            self.running.lock().unwrap().push((service, settings));
            Ok(())
        })
    }
    fn restart(&self, service: Service) -> Future<'_, Port<()>> {
        self.running.lock().unwrap().retain(|(one, _)| *one != service);
        self.start(service)
    }
    fn stop(&self, service: Service) -> Future<'_, Port<()>> {
        self.running.lock().unwrap().retain(|(one, _)| *one != service);
        Box::pin(async { Ok(()) })
    }
}

impl Connectors for Server {
    fn all(&self) -> Vec<ReceiveConnector> {
        self.connectors.lock().unwrap().clone()
    }
    fn put(&self, connector: ReceiveConnector) -> Future<'_, Port<()>> {
        let mut connectors = self.connectors.lock().unwrap();
        connectors.retain(|one| one.name != connector.name);
        connectors.push(connector);
        Box::pin(async { Ok(()) })
    }
    fn remove<'a>(&'a self, name: &'a str) -> Future<'a, Port<()>> {
        self.connectors.lock().unwrap().retain(|one| one.name != name);
        Box::pin(async { Ok(()) })
    }
}

impl LogOns for Server {
    fn recent<'a>(&'a self, address: Option<&'a Address>, limit: usize) -> Future<'a, Port<Vec<LogOn>>> {
        let one = |identity: &str, granted: bool| LogOn {
            time: 1_800_000_000,
            identity: identity.to_owned(),
            remote: "192.0.2.1".to_owned(),
            protocol: "IMAP4".to_owned(),
            mechanism: "PLAIN".to_owned(),
            tls: None,
            granted,
            reason: "wrong password".to_owned(),
        };
        let mut all = vec![one("ann@example.test", false), one("bob@example.test", true)];
        all.retain(|one| address.is_none_or(|address| one.identity == address.as_str()));
        all.truncate(limit);
        Box::pin(async move { Ok(all) })
    }
}

impl Passwords for Server {
    fn hash(&self, password: String, ntlm: bool) -> Future<'_, Port<Password>> {
        let verifiers = ntlm.then(|| SealedVerifiers(Box::from(*b"good for NTLM")));
        Box::pin(async move { Ok(Password { verifiers, ..Password::hashed(format!("hash of {password}")) }) })
    }

    fn make_app_password(&self) -> Port<(String, AppPasswordDigest)> {
        Ok(("aaaa-bbbb".to_owned(), AppPasswordDigest([7; 32])))
    }

    fn without_ntlm(&self, kept: &Password) -> Port<Password> {
        Ok(Password { verifiers: None, ..kept.clone() })
    }

    fn has_ntlm(&self) {}
    fn revoke(&self, account: AccountId) {
        self.revoked.lock().unwrap().push(account);
    }
}

impl StoreMaintenance for Server {
    fn verify(&self) -> Future<'_, Port<Verified>> {
        let faults = self.faults.lock().unwrap().clone();
        Box::pin(async {
            Ok(Verified { messages: 3, fault_count: faults.len() as u64, faults, ..Verified::default() })
        })
    }
    fn backup<'a>(&'a self, path: &'a str) -> Future<'a, Port<BackedUp>> {
        self.backups.lock().unwrap().push(path.to_owned());
        Box::pin(async { Ok(BackedUp { files: 2, octets: 10 }) })
    }
    fn restore_mailbox<'a>(&'a self, _: &'a Address, path: &'a str) -> Future<'a, Port<RestoredMailbox>> {
        let known = self.backups.lock().unwrap().iter().any(|backup| backup == path);
        let restored = RestoredMailbox { folders: 6, restored: 2, appended: 1, ..RestoredMailbox::default() };
        Box::pin(async move { if known { Ok(restored) } else { Err(format!("{path} is no backup")) } })
    }
}

impl Server {
    fn with_domain() -> Self {
        let server = Self::default();
        pollster::block_on(server.store.add_domain("example.test")).unwrap();
        server
    }

    /// Runs a line as the command line would.
    fn run(&self, line: &str) -> Result<Outcome, String> {
        self.run_with(line, "a long secret")
    }

    fn run_with(&self, line: &str, secret: &str) -> Result<Outcome, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let command = find(&words[0]).expect("the command exists");
        let mut line = parse_line(command, &words[1..]).map_err(|error| error.0)?;
        for (name, _) in &line.secrets {
            line.request.parameters.insert((*name).into(), secret.into());
        }
        pollster::block_on(command.run(self, &line.request.parameters)).map_err(|failure| failure.0)
    }

    fn value(&self, line: &str, name: &str) -> Value {
        self.run(line).unwrap().results[0][name].clone()
    }

    fn account(&self, address: &str) -> Option<std::sync::Arc<store::Account>> {
        pollster::block_on(self.store.find(&Address::parse(address).unwrap())).unwrap()
    }
}

#[test]
fn services_are_stopped_and_manual_until_someone_starts_them() {
    let server = Server::with_domain();
    let services = server.run("Get-Service").unwrap().results;
    assert_eq!(services.len(), 2);
    for service in services {
        assert_eq!((&service["Status"], &service["StartupType"]), (&json!("Stopped"), &json!("Manual")));
        assert_eq!(service["LoginType"], "SecureLogin");
    }
    assert_eq!(server.value("Start-Service MSExchangePOP3", "Status"), "Running");
    assert_eq!(server.value("Get-Service IMAP4", "Status"), "Stopped");
    let shown = server.run("Get-Service").unwrap();
    assert_eq!(shown.warnings, ["IMAP4 was not started: its port is taken"], "whoever looks is told why");
    assert_eq!(server.value("Stop-Service POP3", "Status"), "Stopped");
    assert!(server.run("Start-Service SMTP").unwrap_err().contains("MSExchangeIMAP4"));
}

#[test]
fn a_disabled_service_does_not_start() {
    let server = Server::with_domain();
    assert_eq!(server.value("Set-Service IMAP4 -StartupType Disabled", "StartupType"), "Disabled");
    assert!(server.run("Start-Service IMAP4").unwrap_err().contains("Set-Service IMAP4 -StartupType Manual"));
    assert!(server.run("Set-Service IMAP4 -StartupType Never").unwrap_err().contains("Automatic"));
    assert_eq!(server.value("Set-Service IMAP4 -StartupType automatic", "StartupType"), "Automatic");
    assert_eq!(server.value("Start-Service IMAP4", "PendingRestart"), false);
    server.run("Set-Service IMAP4 -StartupType Disabled").unwrap();
    assert!(server.run("Restart-Service IMAP4").unwrap_err().contains("Set-Service IMAP4 -StartupType Manual"));
    assert_eq!(server.value("Get-Service IMAP4", "Status"), "Running", "it goes on");
}

#[test]
fn a_changed_setting_waits_for_the_restart_and_says_so() {
    let server = Server::with_domain();
    server.run("Start-Service IMAP4").unwrap();
    let changed = server.run("Set-ImapSettings -LoginType PlainTextLogin -MaxConnectionsPerUser 4").unwrap();
    let settings = &changed.results[0];
    assert_eq!((&settings["LoginType"], &settings["PendingRestart"]), (&json!("PlainTextLogin"), &json!(true)));
    assert_eq!(settings["InForceUntilRestart"], json!({"LoginType": "SecureLogin", "MaxConnectionsPerUser": 16}));
    assert!(changed.warnings.iter().any(|warning| warning.contains("encryption")), "{:?}", changed.warnings);
    assert!(changed.warnings.iter().any(|warning| warning.contains("Restart-Service IMAP4")));
    assert_eq!(server.value("Get-PopSettings", "PendingRestart"), false);

    assert_eq!(server.value("Restart-Service IMAP4", "PendingRestart"), false);
    assert_eq!(server.value("Get-ImapSettings", "InForceUntilRestart"), json!({}));
    let reminded = server.run("Get-Service IMAP4").unwrap().warnings;
    assert!(reminded[0].contains("Set-ImapSettings -LoginType SecureLogin"), "{reminded:?}");
}

#[test]
fn settings_of_the_server_and_of_smtp_wait_for_its_next_start_and_say_so() {
    let server = Server::with_domain();
    assert_eq!(server.value("Get-ServerSettings", "PendingRestart"), false);
    let changed = server.run("Set-ServerSettings -MaxMessageSize 10MB").unwrap();
    assert_eq!(changed.results[0]["MaxMessageSize"], 10 << 20);
    assert_eq!(changed.results[0]["InForceUntilRestart"], json!({"MaxMessageSize": 36 << 20}));
    assert!(changed.warnings[0].contains("started again"));
    assert_eq!(server.value("Set-SmtpSettings -TarpitInterval 0", "TarpitInterval"), "00:00:00");
    assert_eq!(server.value("Get-SmtpSettings", "PendingRestart"), true);
    assert_eq!(server.value("Set-OpenIdSettings -Issuer https://id.example.test", "UserClaim"), "email");
    assert_eq!(server.value("Get-OpenIdSettings", "PendingRestart"), true);
    let open = server.run("Set-OpenIdSettings -Scope mail").unwrap();
    assert!(open.warnings[0].contains("Audience"));
    assert!(!server.run("Set-OpenIdSettings -Audience mail").unwrap().warnings[0].contains("Audience"));
    let bare = server.run("Set-LdapSettings -Servers ldaps://dc1.example.test").unwrap();
    assert!(bare.warnings[0].contains("SearchBase"));
    let half = server.run("Set-LdapSettings -SearchBase dc=example,dc=test -BindDn cn=mail").unwrap();
    assert!(half.warnings[0].contains("BindPasswordFile"));
    let whole = server.run("Set-LdapSettings -BindPasswordFile /etc/gatepost/ldap").unwrap();
    assert!(whole.warnings[0].contains("started again"));
    assert_eq!(server.value("Get-LdapSettings", "PendingRestart"), true);
    assert!(server.run("Set-LdapSettings -MaxConnections 0").unwrap_err().contains("from 1"));
    assert!(server.run("Set-ServerSettings -HostName é.test").unwrap_err().contains("mail.example.test"));
    assert!(server.run("Set-SmtpSettings -MaxRecipientsPerMessage 0").unwrap_err().contains("from 1"));
    let nowhere = server.run("Set-PopSettings -SSLBindings: -UnencryptedOrTLSBindings:");
    assert!(nowhere.unwrap_err().contains("Stop-Service"));
}

#[test]
fn a_wrong_value_changes_nothing_and_says_what_is_expected() {
    let server = Server::with_domain();
    let refused = server.run("Set-PopSettings -Banner hello -AuthenticatedConnectionTimeout soon").unwrap_err();
    assert!(refused.contains("AuthenticatedConnectionTimeout") && refused.contains("00:30:00"), "{refused}");
    assert_eq!(server.value("Get-PopSettings", "Banner"), "The Gatepost POP3 service is ready.");
    assert!(server.run("Set-PopSettings").unwrap_err().contains("Get-PopSettings"));
}

#[test]
fn a_password_that_is_guessed_at_once_is_refused_and_a_weak_one_is_a_warning() {
    let server = Server::with_domain();
    for weak in ["password", "12345678", "ann@example.test"] {
        let refused = server.run_with("New-Mailbox ann@example.test", weak).unwrap_err();
        assert!(refused.contains("MinimumPasswordStrength is 1") && refused.contains("word"), "{refused}");
    }
    let made = server.run_with("New-Mailbox ann@example.test", "bluesky77").unwrap();
    assert_eq!((made.results.len(), made.warnings.len()), (1, 1), "{:?}", made.warnings);
    assert!(server.run_with("Set-Mailbox ann@example.test -Password", "password").is_err());
    let set = server.run_with("Set-Mailbox ann@example.test -Password", "tRu7-vhqk-2mXz-plo9").unwrap();
    assert_eq!((set.results.len(), set.warnings.len()), (1, 0));
}

#[test]
fn a_keytab_is_refused_by_a_program_that_was_built_without_kerberos() {
    let server = Server::with_domain();
    let refused = server.run("Set-ServerSettings -KerberosKeytab /etc/mail.keytab -HostName mail.test").unwrap_err();
    assert!(refused.contains("--features kerberos"), "{refused}");
    assert_eq!(server.value("Get-ServerSettings", "HostName"), "");
    assert!(server.run("Set-ServerSettings -KerberosKeytab:").is_ok(), "none can be set anywhere");
}

#[test]
fn a_mailbox_is_made_shown_changed_and_removed() {
    let server = Server::with_domain();
    let made = server.run("New-Mailbox Ann@Example.test -EmailAddresses info@example.test -Quota 1GB").unwrap();
    assert_eq!(made.results[0]["Identity"], "ann@example.test");
    assert_eq!((&made.results[0]["Quota"], &made.results[0]["ItemCount"]), (&json!(1u64 << 30), &json!(0)));
    let account = server.account("info@example.test").expect("the alias finds it");
    assert_eq!(account.password, Some(Password::hashed("hash of a long secret")));

    assert!(server.run("New-Mailbox info@example.test").unwrap_err().contains("belongs to a mailbox already"));
    assert!(server.run("New-Mailbox ann@elsewhere.test").unwrap_err().contains("New-AcceptedDomain elsewhere.test"));
    let twice = server.run("New-Mailbox bob@example.test -EmailAddresses b@example.test,B@example.test");
    assert!(twice.unwrap_err().contains("b@example.test twice"));
    let taken = server.run("New-Mailbox bob@example.test -EmailAddresses b@example.test,info@example.test");
    assert!(taken.unwrap_err().contains("info@example.test belongs to a mailbox already, ann@example.test"));
    assert!(server.run("New-Mailbox ann").unwrap_err().contains("ann@example.test belongs"));
    assert_eq!(server.value("Get-Mailbox ann", "Identity"), "ann@example.test");
    assert_eq!(server.run("Get-Mailbox -ResultSize Unlimited").unwrap().results.len(), 1);

    assert_eq!(server.value("Set-Mailbox ann@example.test -Quota unlimited", "Quota"), "unlimited");
    assert!(server.revoked.lock().unwrap().is_empty(), "who is logged on may stay");
    server.run("Set-Mailbox ann@example.test -Password").unwrap();
    assert_eq!(*server.revoked.lock().unwrap(), [account.id], "sessions end with the password");
    assert!(server.run("Set-Mailbox ann@example.test").unwrap_err().contains("-Quota"));
    assert!(server.run("Set-Mailbox ann@example.test -Quota much").unwrap_err().contains("unlimited"));

    server.run("New-Mailbox bob@example.test").unwrap();
    assert_eq!(server.value("Get-Mailbox bob", "PasswordExpires"), "never");
    assert_eq!(server.run("Get-Mailbox").unwrap().results.len(), 2);
    let one = server.run("Get-Mailbox -ResultSize 1").unwrap();
    assert_eq!((one.results.len(), one.warnings.len()), (1, 1), "what is left out is said");

    server.run("Remove-Mailbox ann@example.test -Confirm:$false").unwrap();
    assert!(server.run("Get-Mailbox ann@example.test").unwrap_err().contains("Get-Mailbox"));
    assert_eq!(server.revoked.lock().unwrap().len(), 2);
}

#[test]
fn a_further_domain_is_accepted_and_has_mailboxes_of_its_own() {
    let server = Server::with_domain();
    let domains = server.run("New-AcceptedDomain Example.org").unwrap().results;
    let shown: Vec<_> = domains.iter().map(|domain| (&domain["DomainName"], &domain["Default"])).collect();
    assert_eq!(shown, [(&json!("example.test"), &json!(true)), (&json!("example.org"), &json!(false))]);
    assert_eq!(server.value("New-Mailbox bob@example.org", "Identity"), "bob@example.org");
    assert!(server.run("New-AcceptedDomain example.org").unwrap_err().contains("already"));
    assert!(server.run("New-AcceptedDomain -x-").unwrap_err().contains("-DomainName"));
    assert_eq!(server.run("Get-AcceptedDomain").unwrap().results.len(), 2);
}

#[test]
fn a_password_that_is_too_short_is_refused() {
    let server = Server::with_domain();
    let parameters = json!({"Identity": "ann@example.test", "Password": "short"});
    let refused = pollster::block_on(find("New-Mailbox").unwrap().run(&server, parameters.as_object().unwrap()));
    assert!(refused.unwrap_err().0.contains("8 to 1024"));
    assert_eq!(server.account("ann@example.test"), None);
}

#[test]
fn a_request_with_missing_or_unknown_parameters_tells_which() {
    let server = Server::with_domain();
    let run = |command: &str, parameters: Value| {
        let command = find(command).unwrap();
        pollster::block_on(command.run(&server, parameters.as_object().unwrap())).unwrap_err().0
    };
    assert!(run("Set-Service", json!({"Name": "POP3"})).contains("-StartupType"));
    assert!(run("Get-Service", json!({"Nmae": "POP3"})).contains("-Name"));
    assert!(run("Get-Service", json!({"Name": 3})).contains("text"));
}

#[test]
fn faults_of_the_store_are_all_shown_and_their_cure_is_told() {
    let server = Server::with_domain();
    let sound = server.run("Test-Store").unwrap();
    assert_eq!((&sound.results[0]["Messages"], &sound.results[0]["FaultCount"]), (&json!(3), &json!(0)));
    assert_eq!((sound.fault, sound.warnings.len()), (None, 0));

    *server.faults.lock().unwrap() = vec!["segment 1: damaged".into(), "body 2: damaged".into()];
    let damaged = server.run("Test-Store").unwrap();
    assert_eq!(damaged.results[0]["Faults"], json!(["segment 1: damaged", "body 2: damaged"]));
    let told = damaged.fault.expect("faults are an error");
    assert!(told.contains("2 faults") && told.contains("store repair") && told.contains("store restore"), "{told}");
}

#[test]
fn a_mailbox_comes_back_from_a_backup_and_what_has_new_uids_is_told() {
    let server = Server::with_domain();
    assert_eq!(server.value("Backup-Store /backups/one", "Octets"), 10);
    assert!(server.run("Backup-Store backups/two").unwrap_err().contains("absolute"));
    assert!(server.run("Backup-Store").unwrap_err().contains("-Path"));
    assert_eq!(*server.backups.lock().unwrap(), ["/backups/one"]);

    let restored = server.run("Restore-Mailbox ann@example.test -Path /backups/one").unwrap();
    assert_eq!((&restored.results[0]["Restored"], &restored.results[0]["Folders"]), (&json!(2), &json!(6)));
    assert!(restored.warnings[0].contains("1 messages have new UIDs"), "{:?}", restored.warnings);
    assert!(server.run("Restore-Mailbox ann@example.test -Path /backups/none").unwrap_err().contains("no backup"));
    assert_eq!(server.value("Restore-Mailbox ann -Path /backups/one", "Identity"), "ann@example.test");
}

#[test]
fn by_what_a_mailbox_may_be_used_is_shown_and_changed() {
    let server = Server::with_domain();
    server.run("New-Mailbox ann@example.test").unwrap();
    let shown = server.run("Get-CASMailbox ann").unwrap().results;
    let usual = json!({
        "Identity": "ann@example.test", "PopEnabled": true, "ImapEnabled": true,
        "SmtpClientAuthenticationDisabled": false, "NtlmEnabled": false,
    });
    assert_eq!(Value::from(shown[0].clone()), usual);
    let changed = server.run("Set-CASMailbox ann -PopEnabled $false -SmtpClientAuthenticationDisabled true").unwrap();
    assert_eq!(changed.results[0]["PopEnabled"], false);
    assert_eq!(changed.results[0]["ImapEnabled"], true);
    assert_eq!(changed.results[0]["SmtpClientAuthenticationDisabled"], true);
    assert_eq!(server.revoked.lock().unwrap().len(), 1, "what is switched off ends");
    assert!(server.run("Set-CASMailbox ann -PopEnabled perhaps").unwrap_err().contains("true or false"));
    assert!(server.run("Set-CASMailbox ann").unwrap_err().contains("-NtlmEnabled"));
    assert!(server.run("Set-CASMailbox bob -PopEnabled true").unwrap_err().contains("Get-Mailbox"));
}

#[test]
fn ntlm_begins_with_the_next_password_and_ends_at_once() {
    let server = Server::with_domain();
    server.run("New-Mailbox ann@example.test").unwrap();
    let verifiers = || server.account("ann@example.test").unwrap().password.clone().unwrap().verifiers;
    let warned = server.run("Set-CASMailbox ann -NtlmEnabled true").unwrap();
    assert!(warned.warnings[0].contains("Set-Mailbox -Password"));
    assert_eq!(verifiers(), None, "nothing is known of the password that is set");
    server.run("Set-Mailbox ann@example.test -Password").unwrap();
    assert_eq!(verifiers(), Some(SealedVerifiers(Box::from(*b"good for NTLM"))));
    server.run("Set-CASMailbox ann -NtlmEnabled false").unwrap();
    assert_eq!(verifiers(), None);
    let hash = server.account("ann@example.test").unwrap().password.clone().unwrap().hash;
    assert_eq!(hash.0, "hash of a long secret", "the password itself stays");
}

#[test]
fn app_passwords_are_made_shown_once_listed_and_taken_away() {
    let server = Server::with_domain();
    server.run("New-Mailbox ann@example.test").unwrap();
    let made = server.run("New-AppPassword ann -Name Phone -Protocols imap4,SMTP -ExpirationDate 2999-12-31").unwrap();
    assert_eq!(made.results[0]["Password"], "aaaa-bbbb");
    assert!(made.warnings[0].contains("this once"));
    let listed = server.run("Get-AppPassword ann").unwrap().results;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].get("Password"), None);
    assert_eq!(listed[0]["Protocols"], json!(["IMAP4", "SMTP"]));
    assert_eq!((&listed[0]["ExpirationDate"], &listed[0]["LastUsed"]), (&json!("2999-12-31"), &Value::Null));
    for (line, why) in [
        ("New-AppPassword ann -Name pHONE", "already"),
        ("New-AppPassword ann -Name X -Protocols HTTP", "POP3, IMAP4, SMTP"),
        ("New-AppPassword ann -Name X -ExpirationDate soon", "2027-12-31"),
        ("New-AppPassword ann -Name X -ExpirationDate 1999-12-31", "over"),
        ("Remove-AppPassword ann -Name Printer", "it has: Phone"),
    ] {
        let said = server.run(line).unwrap_err();
        assert!(said.contains(why), "{line}: {said}");
    }
    server.run("Remove-AppPassword ann -Name phone").unwrap();
    assert_eq!(server.revoked.lock().unwrap().len(), 1, "whoever logged on with it has to go");
    assert!(server.run("Get-AppPassword ann").unwrap().results.is_empty());
}

#[test]
fn the_record_of_log_ons_is_shown_of_all_or_of_one() {
    let server = Server::with_domain();
    let all = server.run("Get-LogonRecord").unwrap().results;
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0]["Time"], &all[0]["Result"]), (&json!("2027-01-15T08:00:00Z"), &json!("Refused")));
    assert_eq!((&all[1]["Result"], &all[1]["Reason"], &all[1]["Tls"]), (&json!("Granted"), &json!(""), &json!("none")));
    assert_eq!(server.run("Get-LogonRecord bob").unwrap().results.len(), 1);
    assert_eq!(server.run("Get-LogonRecord -ResultSize 1").unwrap().results.len(), 1);
}

#[test]
fn the_right_to_open_a_mailbox_is_given_shown_and_taken() {
    let server = Server::with_domain();
    for name in ["sales", "bob"] {
        server.run(&format!("New-Mailbox {name}@example.test")).unwrap();
    }
    let sales = server.account("sales@example.test").unwrap();
    let given = server.run("Add-MailboxPermission sales -User bob -AccessRights FullAccess").unwrap();
    assert_eq!((given.results.len(), &given.results[0]["User"]), (1, &json!("bob@example.test")));
    for (words, why) in [
        ("Add-MailboxPermission sales -User bob -AccessRights FullAccess", "already"),
        ("Add-MailboxPermission sales -User sales -AccessRights FullAccess", "owner"),
        ("Add-MailboxPermission sales -User bob -AccessRights SendAs", "FullAccess"),
        ("Add-MailboxPermission sales -User eve -AccessRights FullAccess", "Get-Mailbox"),
        ("Remove-MailboxPermission bob -User sales -AccessRights FullAccess", "anyway"),
    ] {
        let refused = server.run(words).unwrap_err();
        assert!(refused.contains(why), "{words}: {refused}");
    }
    assert_eq!(server.run("Get-MailboxPermission sales").unwrap().results.len(), 1);
    let left = server.run("Remove-MailboxPermission sales -User bob -AccessRights FullAccess").unwrap();
    assert!(left.results.is_empty());
    assert_eq!(*server.revoked.lock().unwrap(), [sales.id]);
    server.run("Add-MailboxPermission sales -User bob -AccessRights FullAccess").unwrap();
    server.run("Remove-Mailbox bob@example.test -Confirm:$false").unwrap();
    assert!(server.run("Get-MailboxPermission sales").unwrap().results.is_empty());
}
