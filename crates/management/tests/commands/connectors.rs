//! Receive connectors, rights on them, and sessions that are replayed.

use serde_json::json;

use super::*;

#[test]
fn a_receive_connector_is_made_shown_changed_and_removed() {
    let server = Server::with_domain();
    let all = server.run("Get-ReceiveConnector").unwrap();
    assert_eq!(all.results.iter().map(|one| &one["Identity"]).collect::<Vec<_>>(), ["Default", "Client"]);
    assert_eq!(
        server.value("Get-ReceiveConnector client", "AuthMechanism"),
        json!(["Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS"])
    );

    let missing = server.run("New-ReceiveConnector Scanners").unwrap_err();
    assert!(missing.contains("-RemoteIPRanges"), "{missing}");
    let made =
        server.run("New-ReceiveConnector Scanners -RemoteIPRanges 192.168.1.0/24,10.0.0.5 -MaxHopCount 7").unwrap();
    let made = &made.results[0];
    assert_eq!(made["RemoteIPRanges"], json!(["192.168.1.0-192.168.1.255", "10.0.0.5"]));
    assert_eq!((&made["Bindings"], &made["SSLBindings"]), (&json!(["0.0.0.0:25", "[::]:25"]), &json!([])));
    assert_eq!((&made["MaxHopCount"], &made["PermissionGroups"]), (&json!(7), &json!([])));
    assert!(server.run("New-ReceiveConnector scanners -RemoteIPRanges 10.0.0.6").unwrap_err().contains("already"));
    let twice = server.run("New-ReceiveConnector Other -RemoteIPRanges 10.0.0.5").unwrap_err();
    assert!(twice.contains("Scanners") && twice.contains("10.0.0.5"), "{twice}");

    let words = "Set-ReceiveConnector Scanners -PermissionGroups AnonymousUsers -AuthMechanism Tls,BasicAuth";
    let risky = server.run(words).unwrap();
    assert!(risky.warnings[0].contains("in clear"), "{:?}", risky.warnings);
    server.run("Set-ReceiveConnector Scanners -AuthMechanism None -Banner hello -MaxMessageSize 1MB").unwrap();
    let shown = server.run("Get-ReceiveConnector Scanners").unwrap();
    assert_eq!((&shown.results[0]["Banner"], &shown.results[0]["MaxMessageSize"]), (&json!("hello"), &json!(1 << 20)));
    assert_eq!(shown.results[0]["RemoteIPRanges"].as_array().unwrap().len(), 2, "what is not given stays");
    for (words, why) in [
        ("-RequireTLS true", "RequireTLS needs Tls"),
        ("-AuthMechanism ExternalAuthoritative", "ExchangeServers"),
        ("-AuthMechanism BasicAuthRequireTLS", "BasicAuth"),
        ("-RemoteIPRanges 10.0.0.1/8", "10.0.0.1/8"),
        ("-Bindings 25", "0.0.0.0:25"),
        ("-PermissionGroups Everybody", "AnonymousUsers"),
        ("-SSLBindings 0.0.0.0:587", "one way"),
        ("-MaxHopCount many", "MaxHopCount"),
        ("", "what to change"),
    ] {
        let refused = server.run(&format!("Set-ReceiveConnector Scanners {words}")).unwrap_err();
        assert!(refused.contains(why), "{words}: {refused}");
    }
    server.run("Remove-ReceiveConnector Scanners -Confirm:$false").unwrap();
    assert!(server.run("Get-ReceiveConnector Scanners").unwrap_err().contains("Get-ReceiveConnector"));
    for (usage, groups, auth) in [
        ("Client", json!(["ExchangeUsers"]), json!(["Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS"])),
        ("Internet", json!(["AnonymousUsers"]), json!(["Tls"])),
        ("Internal", json!(["ExchangeServers"]), json!(["Tls", "ExternalAuthoritative"])),
        ("Custom", json!([]), json!(["Tls"])),
    ] {
        let words =
            format!("New-ReceiveConnector {usage}s -Usage {usage} -Bindings 127.0.0.1:2525 -RemoteIPRanges 10.0.0.5");
        let made = server.run(&words).unwrap();
        assert_eq!((&made.results[0]["PermissionGroups"], &made.results[0]["AuthMechanism"]), (&groups, &auth));
        server.run(&format!("Remove-ReceiveConnector {usage}s -Confirm:$false")).unwrap();
    }
}

#[test]
fn rights_on_a_connector_are_given_shown_and_taken() {
    let server = Server::with_domain();
    server.run("New-ReceiveConnector Relay -RemoteIPRanges 10.0.0.5 -PermissionGroups AnonymousUsers").unwrap();
    let give = "Add-ADPermission Relay -ExtendedRights ms-Exch-SMTP-Accept-Any-Recipient -User";
    let run = |words: &str, last: &str| {
        let mut words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        words.push(last.to_owned());
        let command = find(&words[0]).unwrap();
        let line = parse_line(command, &words[1..]).unwrap();
        pollster::block_on(command.run(&server, &line.request.parameters)).map_err(|failure| failure.0)
    };
    let given = run(give, "NT AUTHORITY\\ANONYMOUS LOGON").unwrap();
    assert!(given.warnings.is_empty(), "{:?}", given.warnings);
    let row = given.results.last().unwrap();
    assert_eq!((&row["User"], &row["By"]), (&json!("ANONYMOUS LOGON"), &json!("Add-ADPermission")));
    let opened = server.run("Set-ReceiveConnector Relay -RemoteIPRanges 0.0.0.0-9.255.255.255").unwrap();
    assert!(opened.warnings[0].contains("OPEN RELAY"), "{:?}", opened.warnings);
    assert!(server.run("Get-ReceiveConnector").unwrap().warnings[0].contains("OPEN RELAY"));
    assert!(run(give, "nobody@example.test").unwrap_err().contains("Get-Mailbox"));
    assert!(server.run("Add-ADPermission Relay -User a@b.c -ExtendedRights Fly").is_err());
    let take = give.replace("Add-", "Remove-");
    let left = run(&take, "ANONYMOUS LOGON").unwrap();
    assert!(left.results.iter().all(|row| row["By"] == "AnonymousUsers"), "{:?}", left.results);
}

#[test]
fn a_session_is_replayed_with_the_right_that_is_missing_and_the_cure() {
    let server = Server::with_domain();
    server.run("New-Mailbox ann@example.test").unwrap();
    let steps = |words: &str| {
        let outcome = server.run(&format!("Test-SmtpSession {words}")).unwrap();
        let text = |step: &management::Object, name: &str| step[name].as_str().unwrap_or_default().to_owned();
        outcome
            .results
            .iter()
            .map(|step| [text(step, "Reply"), text(step, "Reason"), text(step, "Cure")])
            .collect::<Vec<_>>()
    };
    let relayed = steps("192.0.2.1 -From eve@elsewhere.test -To carl@elsewhere.test");
    assert_eq!(
        (relayed[0][0].as_str(), relayed[1][0].as_str(), relayed[2][0].as_str()),
        ("220", "250", "550 5.7.1 Unable to relay")
    );
    assert!(
        relayed[2][1].contains("ms-Exch-SMTP-Accept-Any-Recipient") && relayed[2][2].contains("New-ReceiveConnector")
    );
    assert_eq!(steps("192.0.2.1 -From <> -To ann@example.test")[2][0], "250");
    assert!(steps("192.0.2.1 -From ann@example.test")[1][1].contains("Accept-Authoritative-Domain-Sender"));
    assert_eq!(steps("192.0.2.1 -User ann -From ann@example.test")[1][0], "250");
    assert!(steps("192.0.2.1 -LocalPort 587 -From eve@elsewhere.test")[1][2].contains("log on"));
    let nobody = steps("192.0.2.1 -LocalPort 26");
    assert_eq!((nobody.len(), nobody[0][0].as_str()), (1, "554"));
    for wrong in
        ["elsewhere", "192.0.2.1 -From eve", "192.0.2.1 -To a>b@c", "192.0.2.1 -LocalPort 99999", "192.0.2.1 -User bob"]
    {
        assert!(server.run(&format!("Test-SmtpSession {wrong}")).is_err(), "{wrong}");
    }
}
