//! Users of a directory: Debian's OpenLDAP, as it is.

mod slapd;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{PASSWORD, Site, client, run_with_input};
use slapd::Slapd;

const DORA: &str = "uid=dora,ou=people,dc=example,dc=test";

/// A server whose further users are in the directory; `url`: where.
fn site(slapd: &Slapd, url: &str, settings: &[&str]) -> Site {
    trusting(url, slapd.authority().to_str().unwrap(), settings)
}

fn trusting(url: &str, authority: &str, settings: &[&str]) -> Site {
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(password.path(), "to search with\n").unwrap();
    let mut all = vec![
        format!("Ldap.Servers={url}"),
        format!("Ldap.CertificateAuthority={authority}"),
        "Ldap.BindDn=cn=gatepost,dc=example,dc=test".to_owned(),
        format!("Ldap.BindPasswordFile={}", password.path().display()),
        "Ldap.SearchBase=ou=people,dc=example,dc=test".to_owned(),
        // A failure is one of these tests', not of too many others'.
        "Server.MaxFailedLogonsPerMinute=1000".to_owned(),
    ];
    all.extend(settings.iter().map(|setting| (*setting).to_owned()));
    let arguments: Vec<&str> = all.iter().flat_map(|setting| ["--set", setting]).collect();
    Site::with(&arguments)
}

/// What POP3, IMAP and SMTP answer to a log-on by PLAIN under TLS.
fn log_on(site: &Site, user: &str, password: &str) -> [String; 3] {
    let plain = STANDARD.encode(format!("\0{user}\0{password}"));
    let mut pop3 = site.server.connect_tls("pop3s");
    assert!(pop3.line().starts_with("+OK"));
    assert!(pop3.ask("AUTH PLAIN").starts_with('+'));
    let mut imap = site.server.connect_tls("imaps");
    assert!(imap.line().starts_with("* OK"));
    let mut smtp = site.server.connect_tls("submissions");
    assert!(smtp.line().starts_with("220"));
    smtp.send("EHLO client.test\r\n");
    while !smtp.line().starts_with("250 ") {}
    let mut answer = imap.ask(&format!("a AUTHENTICATE PLAIN {plain}"));
    while answer.starts_with("* ") {
        answer = imap.line();
    }
    [pop3.ask(&plain), answer, smtp.ask(&format!("AUTH PLAIN {plain}"))]
}

#[track_caller]
fn is_granted(site: &Site, user: &str, password: &str) {
    let [pop3, imap, smtp] = log_on(site, user, password);
    assert!(pop3.starts_with("+OK"), "{user}: {pop3}\n{}", site.server.log());
    assert!(imap.starts_with("a OK"), "{user}: {imap}");
    assert!(smtp.starts_with("235"), "{user}: {smtp}");
}

#[track_caller]
fn is_refused(site: &Site, user: &str, password: &str) {
    let [pop3, imap, smtp] = log_on(site, user, password);
    assert!(pop3.starts_with("-ERR [AUTH]"), "{user}: {pop3}");
    assert!(imap.starts_with("a NO [AUTHENTICATIONFAILED]"), "{user}: {imap}");
    assert!(smtp.starts_with("535"), "{user}: {smtp}");
}

/// A temporary failure: it is no fault of the user.
#[track_caller]
fn is_put_off(site: &Site, user: &str, password: &str) {
    let [pop3, imap, smtp] = log_on(site, user, password);
    assert!(pop3.starts_with("-ERR [SYS/TEMP]"), "{user}: {pop3}");
    assert!(imap.starts_with("a NO [UNAVAILABLE]"), "{user}: {imap}");
    assert!(smtp.starts_with("454"), "{user}: {smtp}");
}

/// What a stranger is answered who has mail for somebody.
fn recipient(site: &Site, address: &str) -> String {
    let mut smtp = site.server.connect("smtp");
    assert!(smtp.line().starts_with("220"));
    assert!(smtp.ask("HELO elsewhere.test").starts_with("250"));
    assert!(smtp.ask("MAIL FROM:<carl@elsewhere.test>").starts_with("250"));
    smtp.ask(&format!("RCPT TO:<{address}>"))
}

#[test]
fn its_users_get_mail_before_they_ever_logged_on_and_log_on_by_each_name() {
    let Some(slapd) = Slapd::start() else { return };
    for url in slapd.urls() {
        let site = site(&slapd, &url, &[]);
        site.deliver("sales@example.test", "to an alias");
        for user in
            ["dora", "Dora@example.test", "EXAMPLE\\dora", "sales@example.test", "dora.smith", "EXAMPLE\\Dora.Smith"]
        {
            is_granted(&site, user, PASSWORD);
        }
        assert!(site.inbox("dora")[0].contains("Subject: to an alias"));
        for (user, password) in [
            ("dora", "wrong"),
            ("nobody", PASSWORD),
            ("*", PASSWORD),
            ("*)(uid=*", PASSWORD),
            ("dora)(uid=dora", PASSWORD),
            ("d*a@example.test", PASSWORD),
            ("dora\\2a", PASSWORD),
            // Another Ann, who was here before, is not the directory's.
            ("ann", "the password of another Ann"),
        ] {
            is_refused(&site, user, password);
        }
        is_granted(&site, "ann", PASSWORD);
        // By another name than an address, with the same one as whom to act as.
        let mut pop3 = site.server.connect_tls("pop3s");
        assert!(pop3.line().starts_with("+OK"));
        let plain = STANDARD.encode(format!("dora.smith\0dora.smith\0{PASSWORD}"));
        assert!(pop3.ask(&format!("AUTH PLAIN {plain}")).starts_with("+OK"));
        // RFC 4513 §5.1.2: the directory would grant it.
        let mut imap = site.server.connect_tls("imaps");
        assert!(imap.line().starts_with("* OK"));
        assert!(imap.ask("a LOGIN dora \"\"").starts_with("a NO [AUTHENTICATIONFAILED]"));
        site.server.logged(&["log-on", "dora", "granted=false", "so short"]);
        site.server.logged(&["log-on", "dora", "granted=false", "wrong password: rc=49"]);
        assert!(recipient(&site, "nobody@example.test").starts_with("550 5.1.1"));
        assert!(recipient(&site, "dora.smith@example.test").starts_with("550 5.1.1"), "a name is no address");
        let shown = &site.server.results(&["Get-Mailbox", "dora"])[0];
        assert_eq!((&shown["Source"], &shown["DistinguishedName"]), (&"Directory".into(), &DORA.into()));
        assert_eq!(shown["EmailAddresses"], serde_json::json!(["sales@example.test"]));
        assert_eq!(site.server.results(&["Get-Mailbox", "ann"])[0]["Source"], "Local");
        assert!(!site.server.log().contains(PASSWORD));
    }
}

#[test]
fn clients_that_choose_scram_log_on_since_it_is_not_offered() {
    let Some(slapd) = Slapd::start() else { return };
    // The first of the servers is never there.
    let site = site(&slapd, &format!("ldaps://127.0.0.2:1,{}", slapd.urls()[0]), &[]);
    let Some(mut msmtp) = client("msmtp") else { return };
    let password = site.configuration("password", PASSWORD);
    let configuration = site.configuration(
        "msmtprc",
        &format!(
            "account default\nhost localhost\nport {}\ntls on\ntls_starttls off\ntls_trust_file {}\nauth on\n\
             user dora\npasswordeval cat {}\nfrom dora@example.test\n",
            site.port("submissions"),
            site.authority(),
            password.display(),
        ),
    );
    let message = "From: dora@example.test\r\nTo: ann@example.test\r\nSubject: sent\r\n\r\n";
    run_with_input(msmtp.arg("--file").arg(configuration).arg("ann@example.test"), message);
    assert!(site.inbox("ann")[0].contains("Subject: sent"));
}

#[test]
fn who_is_not_in_the_group_or_no_more_has_no_mailbox_and_what_was_in_it_is_kept() {
    let Some(slapd) = Slapd::start() else { return };
    let settings = ["Ldap.RequiredGroup=cn=mail,dc=example,dc=test", "Ldap.CacheTime=0"];
    let site = site(&slapd, &slapd.urls()[0], &settings);
    is_granted(&site, "dora", PASSWORD);
    is_refused(&site, "emil", PASSWORD);
    assert!(recipient(&site, "emil@example.test").starts_with("550 5.1.1"));
    let group = |what: &str, who: &str| {
        slapd.modify(&format!("dn: cn=mail,dc=example,dc=test\nchangetype: modify\n{what}: member\nmember: uid={who},ou=people,dc=example,dc=test\n"));
    };
    group("add", "emil");
    is_granted(&site, "emil", PASSWORD);
    site.deliver("dora@example.test", "kept");
    let mut imap = site.server.connect_tls("imaps");
    assert!(imap.line().starts_with("* OK"));
    imap.send(&format!("a LOGIN dora \"{PASSWORD}\"\r\n"));
    while !imap.line().starts_with("a OK") {}
    group("delete", "dora");
    is_refused(&site, "dora", PASSWORD);
    assert!(recipient(&site, "sales@example.test").starts_with("550 5.1.1"));
    // Who was logged on is so no more.
    assert!(String::from_utf8(imap.rest()).unwrap().contains("* BYE"));
    group("add", "dora");
    assert!(site.inbox("dora")[0].contains("Subject: kept"));
    // The address goes to somebody else, the mailbox does not.
    slapd.modify(&format!(
        "dn: {DORA}\nchangetype: modify\ndelete: proxyAddresses\nproxyAddresses: smtp:sales@example.test\n"
    ));
    slapd.modify("dn: uid=emil,ou=people,dc=example,dc=test\nchangetype: modify\nadd: objectClass\nobjectClass: mailUser\n-\nadd: proxyAddresses\nproxyAddresses: smtp:sales@example.test\n");
    site.deliver("sales@example.test", "now Emil's");
    assert!(site.inbox("emil")[0].contains("Subject: now Emil's"));
    assert_eq!(site.inbox("dora").len(), 1);
    // And to somebody whose first one it is.
    slapd.modify("dn: uid=emil,ou=people,dc=example,dc=test\nchangetype: modify\ndelete: proxyAddresses\n");
    slapd.modify(
        "dn: uid=ann,ou=people,dc=example,dc=test\nchangetype: modify\nreplace: mail\nmail: sales@example.test\n",
    );
    group("add", "ann");
    site.deliver("sales@example.test", "now the other Ann's");
    is_granted(&site, "sales", "the password of another Ann");
    assert_eq!(site.server.results(&["Get-Mailbox", "sales"])[0]["Identity"], "sales@example.test");
    assert_eq!(site.inbox("emil").len(), 1);
}

#[test]
fn who_claims_the_address_of_another_gets_no_mailbox_of_theirs() {
    let Some(slapd) = Slapd::start() else { return };
    let site = site(&slapd, &slapd.urls()[0], &["Ldap.CacheTime=0"]);
    is_granted(&site, "dora", PASSWORD);
    site.deliver("dora@example.test", "for Dora alone");
    let claims =
        "add: objectClass\nobjectClass: mailUser\n-\nadd: proxyAddresses\nproxyAddresses: SMTP:dora@example.test\n";
    slapd.modify(&format!("dn: uid=emil,ou=people,dc=example,dc=test\nchangetype: modify\n{claims}"));
    is_put_off(&site, "emil", PASSWORD);
    site.server.logged(&["could not be asked", "more than one user"]);
    assert!(site.inbox("dora")[0].contains("for Dora alone"));
}

#[test]
fn who_claims_an_alias_of_another_does_not_get_its_mail() {
    let Some(slapd) = Slapd::start() else { return };
    let site = site(&slapd, &slapd.urls()[0], &["Ldap.CacheTime=0"]);
    is_granted(&site, "dora", PASSWORD);
    let claims =
        "add: objectClass\nobjectClass: mailUser\n-\nadd: proxyAddresses\nproxyAddresses: smtp:sales@example.test\n";
    slapd.modify(&format!("dn: uid=emil,ou=people,dc=example,dc=test\nchangetype: modify\n{claims}"));
    is_granted(&site, "emil", PASSWORD);
    site.server.logged(&["sales@example.test", "not the user's alone"]);
    site.deliver("sales@example.test", "for Dora alone");
    assert!(site.inbox("dora")[0].contains("for Dora alone"));
    assert!(site.inbox("emil").is_empty());
}

#[test]
fn a_directory_with_a_certificate_of_another_authority_is_told_nothing() {
    let Some(slapd) = Slapd::start() else { return };
    let other = Slapd::start().unwrap();
    for url in slapd.urls() {
        let site = trusting(&url, other.authority().to_str().unwrap(), &[]);
        assert!(recipient(&site, "dora@example.test").starts_with("451"));
        is_put_off(&site, "dora", PASSWORD);
        is_granted(&site, "ann", PASSWORD);
        site.server.logged(&["a server of the directory cannot be asked", "certificate"]);
    }
}

#[test]
fn what_is_set_wrong_is_told_by_the_log_and_nobody_is_unknown_for_it() {
    let Some(slapd) = Slapd::start() else { return };
    for (setting, why) in [
        ("Ldap.BindDn=cn=nobody,dc=example,dc=test", "Ldap.BindDn was refused"),
        ("Ldap.SearchBase=ou=nowhere,dc=example,dc=test", "(Ldap.SearchBase)"),
        ("Ldap.RequiredGroup=cn=nowhere,dc=example,dc=test", "(Ldap.RequiredGroup)"),
        ("Ldap.UserFilter=person", "Ldap.UserFilter"),
    ] {
        let site = site(&slapd, &slapd.urls()[0], &[setting]);
        assert!(recipient(&site, "dora@example.test").starts_with("451"), "{setting}");
        is_put_off(&site, "dora", PASSWORD);
        is_granted(&site, "ann", PASSWORD);
        site.server.logged(&[why]);
    }
}

#[test]
fn while_it_is_away_those_log_on_whom_it_knew_and_it_is_asked_again_once_it_is_back() {
    let Some(mut slapd) = Slapd::start() else { return };
    let site = site(&slapd, &slapd.urls()[1], &["Ldap.CacheTime=0", "Server.LogonCacheLifetime=0"]);
    is_granted(&site, "dora", PASSWORD);
    site.deliver("emil@example.test", "before he logs on");
    slapd.fail();
    is_granted(&site, "dora", PASSWORD);
    is_granted(&site, "ann", PASSWORD);
    is_refused(&site, "dora", "wrong");
    // Mail for those who are known is taken, for others it waits.
    site.deliver("sales@example.test", "meanwhile");
    site.deliver("emil@example.test", "meanwhile");
    is_put_off(&site, "emil", PASSWORD);
    is_put_off(&site, "fred", PASSWORD);
    assert!(recipient(&site, "fred@example.test").starts_with("451"));
    slapd.go_on();
    is_granted(&site, "emil", PASSWORD);
    is_refused(&site, "fred", PASSWORD);
    is_granted(&site, "dora", PASSWORD);
    assert!(recipient(&site, "fred@example.test").starts_with("550 5.1.1"));
    assert_eq!((site.inbox("dora").len(), site.inbox("emil").len()), (1, 2));
    site.server.logged(&["a server of the directory is back"]);
    // What the directory changes is so at once, and what is kept for its absence follows.
    slapd.modify(&format!(
        "dn: {DORA}\nchangetype: modify\nreplace: userPassword\nuserPassword: another long password\n"
    ));
    is_refused(&site, "dora", PASSWORD);
    is_granted(&site, "dora", "another long password");
    slapd.fail();
    is_refused(&site, "dora", PASSWORD);
    is_granted(&site, "dora", "another long password");
    // One that it has refused opens nothing while it is away, though nobody has shown the new one yet.
    slapd.go_on();
    slapd.modify(&format!(
        "dn: {DORA}\nchangetype: modify\nreplace: userPassword\nuserPassword: a third long password\n"
    ));
    is_refused(&site, "dora", "another long password");
    slapd.fail();
    is_put_off(&site, "dora", "another long password");
}

#[test]
fn by_ntlm_they_log_on_through_the_helper_of_their_domain_and_by_their_name_in_it() {
    use std::os::unix::fs::PermissionsExt;
    let Some(slapd) = Slapd::start() else { return };
    slapd.modify(
        "dn: uid=emil,ou=people,dc=example,dc=test\nchangetype: modify\nadd: objectClass\nobjectClass: mailUser\n-\n\
         add: sAMAccountName\nsAMAccountName: away\n",
    );
    let folder = tempfile::tempdir().unwrap();
    let helper = folder.path().join("ntlm_auth");
    std::fs::write(&helper, include_str!("ntlm_auth.sh")).unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o700)).unwrap();
    let helper = format!("Ldap.NtlmHelper={}", helper.display());
    let site = site(&slapd, &slapd.urls()[0], &[&helper, "Ldap.NtlmDomain=CORP"]);
    for (user, granted, why) in [
        ("CORP/Dora.Smith", true, "granted"),
        // Of a domain that theirs may trust, and by names that it does not know.
        ("OTHER/Dora.Smith", false, "Ldap.NtlmDomain"),
        ("CORP/dora", false, "sAMAccountName"),
        ("dora@example.test", false, "userPrincipalName"),
        ("CORP/nobody", false, "unknown user"),
        ("CORP/away", false, "the domain cannot be asked"),
        // Of here, and not opted in.
        ("ann@example.test", false, "Set-CASMailbox -NtlmEnabled"),
    ] {
        let Some(mut curl) = client("curl") else { return };
        let user = user.replace('/', "\\\\");
        let configuration = site.configuration("curlrc", &format!("user = \"{user}:{PASSWORD}\"\n"));
        curl.args(["--silent", "--show-error", "--cacert", &site.authority(), "--login-options", "AUTH=NTLM"]);
        curl.arg("--config").arg(configuration).arg(format!("pop3s://localhost:{}", site.port("pop3s")));
        assert_eq!(curl.output().unwrap().status.success(), granted, "{user}");
        site.server.logged(&["log-on", "NTLM", &format!("granted={granted}"), why]);
    }
}

#[test]
fn what_the_directory_says_of_a_user_is_not_changed_here() {
    let Some(slapd) = Slapd::start() else { return };
    let site = site(&slapd, &slapd.urls()[0], &[]);
    is_granted(&site, "emil", PASSWORD);
    for (words, why) in [
        (vec!["Set-Mailbox", "emil", "-PasswordFile", "-"], "uid=emil"),
        (vec!["Set-Mailbox", "emil", "-EmailAddresses", "e@example.test"], "uid=emil"),
        (vec!["Set-CASMailbox", "emil", "-NtlmEnabled", "true"], "NTLM"),
    ] {
        let output = site.server.manage(&words, "a new long password\n");
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(why), "{output:?}");
    }
    assert!(site.server.manage(&["Set-Mailbox", "emil", "-Quota", "1GB"], "").status.success());
    is_granted(&site, "emil", PASSWORD);
}
