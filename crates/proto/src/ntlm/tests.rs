//! Whole exchanges.

use proptest::prelude::*;

use super::client::{CURL, Client, Mic, WINDOWS, hex, negotiate, negotiate_bare};
use super::flags::Flags;
use super::hash::{hmac_md5, ntowf_v2};
use super::wire::{Charset, Message};
use super::*;
use crate::logon::ExtendedProtection;

const NOW: FileTime = FileTime(134_000_000_000_000_000);
const NO_BINDING: Binding<'_> = Binding { policy: ExtendedProtection::None, end_point: None };

fn challenge_to(negotiate: &[u8]) -> Challenge {
    let target = Target::of_host("mail.example.com").unwrap();
    Challenge::new(Negotiate::parse(negotiate).unwrap(), *b"\x01\x23\x45\x67\x89\xab\xcd\xef", NOW, &target)
}

/// All three messages between the server and a client that offers these flags.
fn log_on(client: &Client, flags: Flags) -> Result<Proof, Fault> {
    let type_1 = negotiate(flags);
    let challenge = challenge_to(&type_1);
    let type_3 = client.authenticate(&type_1, challenge.octets());
    challenge.authenticate(&type_3)
}

fn verify(proof: &Proof) -> Result<(), Refusal> {
    proof.verify(Some(&NtHash::of_password("secret")), &NO_BINDING)
}

/// A right type 3 of a client, and a fresh challenge for each change of it.
fn changed(client: &Client, change: impl FnOnce(&mut Vec<u8>)) -> Result<Proof, Fault> {
    let type_1 = negotiate(WINDOWS);
    let challenge = challenge_to(&type_1);
    let mut type_3 = client.authenticate(&type_1, challenge.octets());
    change(&mut type_3);
    challenge.authenticate(&type_3)
}

/// Length and offset of the NT response.
fn nt_response(type_3: &[u8]) -> (usize, usize) {
    let length = u16::from_le_bytes([type_3[20], type_3[21]]);
    let offset = u32::from_le_bytes(type_3[24..28].try_into().unwrap());
    (length.into(), offset.try_into().unwrap())
}

mod published {
    use super::*;

    /// MS-NLMP 4.2.4.3.
    const CHALLENGE: &str = "4e544c4d53535000 02000000 0c000c0038000000 33828ae2 0123456789abcdef 0000000000000000
        2400240044000000 060070170000000f 530065007200760065007200
        02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000";
    const AUTHENTICATE: &str = "4e544c4d53535000 03000000 180018006c000000 5400540084000000 0c000c0048000000
        0800080054000000 100010005c000000 10001000d8000000 358288e2 0501280a0000000f
        44006f006d00610069006e00 5500730065007200 43004f004d0050005500540045005200
        86c35097ac9cec102554764a57cccc19 aaaaaaaaaaaaaaaa
        68cd0ab851e51c96aabc927bebef6a1c 0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000
        02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000 00000000
        c5dad2544fc9799094ce1ce90bc9d03e";

    fn proof() -> Proof {
        let octets = hex(CHALLENGE);
        let message = Message::open(&octets, 2).unwrap();
        let challenge = Challenge {
            negotiate: Negotiate::parse(&negotiate_bare(Flags(0xe208_8233))).unwrap(),
            server_challenge: message.array(24).unwrap(),
            target_info: message.field(40, 56, "target information").unwrap().to_vec(),
            octets,
        };
        challenge.authenticate(&hex(AUTHENTICATE)).unwrap()
    }

    #[test]
    fn the_messages_of_ms_nlmp_4_2_4_3_prove_user_of_domain() {
        let proof = proof();
        assert_eq!((proof.user(), proof.domain(), proof.workstation()), ("User", "Domain", "COMPUTER"));
        assert_eq!(proof.server_challenge.to_vec(), hex("0123456789abcdef"));
        assert_eq!(proof.answer.session_key.unwrap().to_vec(), hex("c5dad2544fc9799094ce1ce90bc9d03e"));
        let hash = NtHash::of_password("Password");
        assert_eq!(proof.verify(Some(&hash), &NO_BINDING), Ok(()));
        assert_eq!(proof.verify(Some(&NtHash::of_password("password")), &NO_BINDING), Err(Refusal::Proof));
    }

    #[test]
    fn the_session_base_key_is_that_of_ms_nlmp_4_2_4_1_2() {
        let key = proof().session_key(&NtHash::of_password("Password")).unwrap();
        assert_eq!(key.0.to_vec(), hex("8de40ccadbc14a82f15cb0ad0de95ca3"));
    }

    #[test]
    fn the_lmv2_response_is_that_of_ms_nlmp_4_2_4_2_1() {
        let key = ntowf_v2(&NtHash::of_password("Password"), "User", "Domain");
        let client_challenge = [0xaa; 8];
        let lm =
            [hmac_md5(&key, &[&hex("0123456789abcdef"), &client_challenge]).as_slice(), &client_challenge].concat();
        let octets = hex(AUTHENTICATE);
        assert_eq!(Message::open(&octets, 3).unwrap().field(12, 64, "LM response"), Ok(lm.as_slice()));
    }
}

/// What real clients sent to log on as EXAMPLE\ann with the password "secret", first and third message, when their
/// first one was answered by the challenge of [`challenge_to`].
mod recorded {
    use super::*;

    /// `curl --login-options AUTH=NTLM`, over POP3.
    const CURL_7_88: [&str; 2] = [
        "4e544c4d53535000010000000682080000000000000000000000000000000000",
        "4e544c4d535350000300000018001800400000009c009c005800000007000700f400000003000300fb0000000b000b00fe000000
        0000000000000000068289008139b0eedf1cc9503669c6ae12e7dcd66459b1c14e9f9cbee75f66d2b3977cb95397750cb663d0ce
        010100000000000080173d1a2481dd016459b1c14e9f9cbe0000000002000e004500580041004d0050004c004500010008004d00
        410049004c00040016006500780061006d0070006c0065002e0063006f006d00030020006d00610069006c002e00650078006100
        6d0070006c0065002e0063006f006d00070008000000e73f4a10dc0100000000000000004558414d504c45616e6e574f524b5354
        4154494f4e",
    ];

    /// Perl, with `ntlmv2(1)`.
    const AUTHEN_NTLM_1_09: [&str; 2] = [
        "4e544c4d535350000100000007920800000000000000000007000700200000004558414d504c45",
        "4e544c4d535350000300000018001800400000009c009c005800000007000700f400000006000600fb0000000800080001010000
        00000000c900000005820800ecc4167ff238adbddeeb52fbc45124560000000000000000587add1faf136a684d13326cdad9d7dd
        0101000000000000cb30b7210000000000000000000000000000000002000e004500580041004d0050004c004500010008004d00
        410049004c00040016006500780061006d0070006c0065002e0063006f006d00030020006d00610069006c002e00650078006100
        6d0070006c0065002e0063006f006d00070008000000e73f4a10dc0100000000000000004558414d504c4561006e006e00640065
        0073006b00",
    ];

    /// Perl, with `ntlmv2(0)`.
    const AUTHEN_NTLM_1_09_VERSION_1: [&str; 2] = [
        "4e544c4d535350000100000007b2000003000300200000000700070023000000616e6e4558414d504c45",
        "4e544c4d5353500003000000180018004000000018001800580000000e000e0070000000060006007e0000000800080084000000
        000000004c00000005828100101c21228f73993193c75440547d94b75f3231384d8793882fecdd61da941ec269d46dd130ba9312
        9c4166fe03f217064500580041004d0050004c00450061006e006e006400650073006b00",
    ];

    /// Python, with a MIC, an exchanged key, and the binding of a certificate whose hash is 32 octets of 7.
    const PYSPNEGO_0_12: [&str; 2] = [
        "4e544c4d5353500001000000378208e200000000280000000000000028000000000c04000000000f",
        "4e544c4d53535000030000001800180058000000e600e600700000000e000e00560100000600060064010000040004006a010000
        100010006e010000358289e2000c04000000000f05fa901d8740cdb99b14bca96f319ef700000000000000000000000000000000
        0000000000000000a016f8980815a3f85098645dbcf0761101010000000000000000e73f4a10dc01fee09785ea8ee11500000000
        02000e004500580041004d0050004c004500010008004d00410049004c00040016006500780061006d0070006c0065002e006300
        6f006d00030020006d00610069006c002e006500780061006d0070006c0065002e0063006f006d00070008000000e73f4a10dc01
        0a001000b1a3c6580100729194d4b9487c9edceb09002a0073006d00740070002f006d00610069006c002e006500780061006d00
        70006c0065002e0063006f006d00060004000200000000000000000000004500580041004d0050004c00450061006e006e005600
        4d0020500c9398e1a20160ce48ba0c8c5678",
    ];

    fn proof([type_1, type_3]: [&str; 2]) -> Result<Proof, Fault> {
        challenge_to(&hex(type_1)).authenticate(&hex(type_3))
    }

    #[test]
    fn clients_without_mic_log_on() {
        for messages in [CURL_7_88, AUTHEN_NTLM_1_09] {
            let proof = proof(messages).unwrap();
            assert_eq!((proof.user(), proof.domain()), ("ann", "EXAMPLE"));
            assert_eq!(verify(&proof), Ok(()));
        }
    }

    #[test]
    fn a_client_with_mic_and_channel_binding_logs_on() {
        let proof = proof(PYSPNEGO_0_12).unwrap();
        assert_eq!((proof.user(), proof.domain()), ("ann", "EXAMPLE"));
        assert!(proof.answer.mic.is_some() && proof.answer.session_key.is_some());
        let verify = |end_point| {
            let binding = Binding { policy: ExtendedProtection::Require, end_point: Some(end_point) };
            proof.verify(Some(&NtHash::of_password("secret")), &binding)
        };
        assert_eq!(verify(&[7; 32]), Ok(()));
        assert_eq!(verify(&[8; 32]), Err(Refusal::Binding));
    }

    #[test]
    fn a_client_of_version_1_does_not_log_on() {
        assert_eq!(proof(AUTHEN_NTLM_1_09_VERSION_1).err(), Some(Fault::Version1));
    }
}

#[test]
fn clients_of_every_kind_log_on() {
    let old = Client { mic: Mic::None, time: Some(NOW.0 + 3_000_000_000), ..Client::ann() };
    let kinds = [
        (Client::ann(), WINDOWS),
        // Without key exchange, and with one that is for nothing.
        (Client::ann(), Flags(0x0088_8205)),
        (Client::ann(), Flags(0x4088_8205)),
        (old.clone(), CURL),
        (old.clone(), Flags(0xb207)),
        // No target asked for, no extended session security.
        (old, Flags(0x0201)),
        (Client { user: "ANN", ..Client::ann() }, WINDOWS),
        (Client { user: "Jürgen@straße.example", domain: "", workstation: "", ..Client::ann() }, WINDOWS),
        // MS-NLMP 3.2.5.1.2: a domain that is sent and not computed with.
        (Client { computed_domain: Some(""), ..Client::ann() }, WINDOWS),
        // A MIC's place filled by a client that announces none is not looked at.
        (Client { mic: Mic::Unannounced, ..Client::ann() }, WINDOWS),
    ];
    for (client, flags) in kinds {
        let proof = log_on(&client, flags).unwrap();
        assert_eq!((proof.user(), proof.domain()), (client.user, client.domain));
        assert_eq!(verify(&proof), Ok(()), "{} {flags:x?}", client.user);
    }
}

#[test]
fn a_wrong_password_and_an_unknown_user_are_the_same() {
    let proof = log_on(&Client::ann(), WINDOWS).unwrap();
    for hash in [None, Some(&NtHash::of_password("Secret")), Some(&NtHash::of_password(""))] {
        assert_eq!(proof.verify(hash, &NO_BINDING), Err(Refusal::Proof));
    }
}

#[test]
fn another_domain_than_was_computed_with_is_refused() {
    let proof = log_on(&Client { computed_domain: Some("example"), ..Client::ann() }, WINDOWS).unwrap();
    assert_eq!(verify(&proof), Err(Refusal::Proof));
}

#[test]
fn a_mic_is_right_or_refused_with_and_without_key_exchange() {
    for flags in [WINDOWS, Flags(0x0088_8205)] {
        for (mic, outcome) in [
            (Mic::Right, Ok(())),
            (Mic::Wrong, Err(Refusal::Mic)),
            (Mic::Zero, Err(Refusal::Mic)),
            (Mic::None, Ok(())),
            (Mic::Unannounced, Ok(())),
            (Mic::Early, Ok(())),
        ] {
            assert_eq!(verify(&log_on(&Client { mic, ..Client::ann() }, flags).unwrap()), outcome, "{mic:?}");
        }
    }
}

#[test]
fn a_mic_covers_all_three_messages() {
    let type_1 = negotiate(WINDOWS);
    let challenge = challenge_to(&type_1);
    let type_3 = Client::ann().authenticate(&type_1, challenge.octets());
    let proof = challenge.authenticate(&type_3).unwrap();
    assert_eq!(verify(&proof), Ok(()));
    // What the server got as the first message, and what the client got as the second.
    let alter = |message: &mut [u8]| message[12] ^= 0x10;
    let mut altered = changed(&Client::ann(), |_| {}).unwrap();
    alter(&mut altered.negotiate);
    assert_eq!(verify(&altered), Err(Refusal::Mic));
    let mut altered = changed(&Client::ann(), |_| {}).unwrap();
    alter(&mut altered.challenge);
    assert_eq!(verify(&altered), Err(Refusal::Mic));
    // The third one's flags and version are in no field and not in the response.
    for at in 60..72 {
        let altered = changed(&Client::ann(), |type_3| type_3[at] ^= 1).unwrap();
        assert_eq!(verify(&altered), Err(Refusal::Mic), "{at}");
    }
}

#[test]
fn a_mic_without_a_place_of_its_own_is_refused() {
    // The payload moved forward onto the MIC.
    let outcome = changed(&Client { lm: Vec::new(), workstation: "", ..Client::ann() }, |type_3| {
        type_3.drain(64..88);
        for at in [24, 32, 40, 48, 56] {
            let offset = u32::from_le_bytes(type_3[at..at + 4].try_into().unwrap()) - 24;
            type_3[at..at + 4].copy_from_slice(&offset.to_le_bytes());
        }
    });
    assert_eq!(outcome.err(), Some(Fault::NoMic));
}

#[test]
fn every_flipped_octet_of_the_response_is_refused() {
    for mic in [Mic::Right, Mic::None] {
        let client = Client { mic, channel_bindings: Some([7; 16]), ..Client::ann() };
        let mut at = 0;
        loop {
            let mut behind = false;
            let outcome = changed(&client, |type_3| {
                let (length, offset) = nt_response(type_3);
                behind = at == length;
                if !behind {
                    type_3[offset + at] ^= 0x40;
                }
            });
            if behind {
                break;
            }
            assert!(outcome.is_err() || outcome.is_ok_and(|proof| verify(&proof).is_err()), "{at}");
            at += 1;
        }
        assert!(at > 100);
    }
}

#[test]
fn garbage_for_a_proof_is_refused() {
    let outcome = changed(&Client { mic: Mic::None, ..Client::ann() }, |type_3| {
        let (_, offset) = nt_response(type_3);
        type_3[offset..offset + 16].copy_from_slice(b"garbage garbage!");
    });
    assert_eq!(verify(&outcome.unwrap()), Err(Refusal::Proof));
    let outcome = log_on(&Client { nt: Some(b"garbage garbage!".to_vec()), ..Client::ann() }, WINDOWS);
    assert_eq!(outcome.err(), Some(Fault::Response("it is cut off")));
}

#[test]
fn an_answer_to_another_challenge_is_refused() {
    let type_1 = negotiate(WINDOWS);
    let target = Target::of_host("mail.example.com").unwrap();
    for mic in [Mic::Right, Mic::None] {
        let type_3 = Client { mic, ..Client::ann() }.authenticate(&type_1, challenge_to(&type_1).octets());
        let again = |server_challenge, now| {
            Challenge::new(Negotiate::parse(&type_1).unwrap(), server_challenge, now, &target).authenticate(&type_3)
        };
        assert_eq!(verify(&again(*b"\x01\x23\x45\x67\x89\xab\xcd\xee", NOW).unwrap()), Err(Refusal::Proof));
        assert_eq!(again(*b"\x01\x23\x45\x67\x89\xab\xcd\xef", FileTime(NOW.0 + 1)).err(), Some(Fault::TargetInfo));
    }
}

#[test]
fn an_answer_to_another_server_is_refused() {
    let type_1 = negotiate(WINDOWS);
    let other = Target::of_host("other.example.com").unwrap();
    let other = Challenge::new(Negotiate::parse(&type_1).unwrap(), *b"\x01\x23\x45\x67\x89\xab\xcd\xef", NOW, &other);
    let type_3 = Client::ann().authenticate(&type_1, other.octets());
    assert_eq!(challenge_to(&type_1).authenticate(&type_3).err(), Some(Fault::TargetInfo));
}

#[test]
fn the_clock_of_a_client_is_not_judged() {
    for time in [0, NOW.0 + 1, u64::MAX] {
        assert_eq!(verify(&log_on(&Client { time: Some(time), ..Client::ann() }, WINDOWS).unwrap()), Ok(()));
    }
}

#[test]
fn a_channel_binding_is_judged_by_the_policy() {
    let right = binding::channel_bindings(&[7; 32]);
    let hash = NtHash::of_password("secret");
    for (given, allow, require) in [
        (None, Ok(()), Err(Refusal::NoBinding)),
        (Some([0; 16]), Ok(()), Err(Refusal::NoBinding)),
        (Some(right), Ok(()), Ok(())),
        (Some([1; 16]), Err(Refusal::Binding), Err(Refusal::Binding)),
    ] {
        for mic in [Mic::Right, Mic::None] {
            let proof = log_on(&Client { channel_bindings: given, mic, ..Client::ann() }, WINDOWS).unwrap();
            let outcome = |policy| proof.verify(Some(&hash), &Binding { policy, end_point: Some(&[7; 32]) });
            assert_eq!(outcome(ExtendedProtection::None), Ok(()));
            assert_eq!(outcome(ExtendedProtection::Allow), allow);
            assert_eq!(outcome(ExtendedProtection::Require), require);
        }
    }
}

#[test]
fn a_session_key_from_elsewhere_stands_for_the_proof_alone() {
    let hash = NtHash::of_password("secret");
    let require = Binding { policy: ExtendedProtection::Require, end_point: Some(&[7; 32]) };
    let proof = log_on(&Client::ann(), WINDOWS).unwrap();
    let key = proof.session_key(&hash).unwrap();
    assert_eq!(proof.verify_with_session_key(&key, &NO_BINDING), Ok(()));
    assert_eq!(proof.verify_with_session_key(&key, &require), Err(Refusal::NoBinding));
    let other = SessionKey::from_octets([0; 16]);
    assert_eq!(proof.verify_with_session_key(&other, &NO_BINDING), Err(Refusal::Mic));
    let response = [proof.answer.response.proof.as_slice(), proof.answer.response.client_challenge()].concat();
    assert_eq!(proof.answer.response.octets, response);
}

#[test]
fn what_is_older_or_nobody_is_refused_with_its_reason() {
    let cell = |client: Client| log_on(&Client { mic: Mic::None, ..client }, WINDOWS).err();
    assert_eq!(cell(Client { nt: Some(vec![7; 24]), ..Client::ann() }), Some(Fault::Version1));
    assert_eq!(cell(Client { nt: Some(Vec::new()), lm: vec![7; 24], ..Client::ann() }), Some(Fault::LanManager));
    for lm in [Vec::new(), vec![0]] {
        assert_eq!(cell(Client { nt: Some(Vec::new()), lm, ..Client::ann() }), Some(Fault::Anonymous));
    }
    assert_eq!(cell(Client { user: "", ..Client::ann() }), Some(Fault::Anonymous));
    assert_eq!(cell(Client { extra_flags: Flags::ANONYMOUS, ..Client::ann() }), Some(Fault::Anonymous));
    assert_eq!(Fault::Version1.to_string(), "the client speaks NTLM version 1, which is not accepted");
}

#[test]
fn messages_in_another_order_are_refused() {
    let type_1 = negotiate(WINDOWS);
    let challenge = challenge_to(&type_1);
    let type_2 = challenge.octets().to_vec();
    let type_3 = Client::ann().authenticate(&type_1, &type_2);
    let outcome = |octets: &[u8]| challenge_to(&type_1).authenticate(octets).err();
    assert_eq!(outcome(&type_1), Some(Fault::MessageType { expected: 3, found: 1 }));
    assert_eq!(outcome(&type_2), Some(Fault::MessageType { expected: 3, found: 2 }));
    assert_eq!(Negotiate::parse(&type_3).err(), Some(Fault::MessageType { expected: 1, found: 3 }));
}

#[test]
fn no_truncation_of_an_answer_is_an_answer() {
    for mic in [Mic::Right, Mic::None] {
        let client = Client { mic, ..Client::ann() };
        let length = changed(&client, |_| {}).unwrap().answer.octets.len();
        for end in 0..length {
            let outcome = changed(&client, |type_3| type_3.truncate(end));
            let fault = outcome.err().unwrap();
            assert!(matches!(fault, Fault::Truncated | Fault::OutOfBounds(_)), "{end}: {fault:?}");
        }
    }
}

#[test]
fn fields_that_lie_outside_or_upon_each_other_do_no_harm() {
    for field in [12, 20, 28, 36, 44, 52] {
        for offset in [0, 8, 63, 5000, u32::MAX - 8, u32::MAX] {
            let outcome = changed(&Client::ann(), |type_3| {
                type_3[field + 4..field + 8].copy_from_slice(&offset.to_le_bytes());
            });
            assert!(matches!(outcome.err(), Some(Fault::OutOfBounds(_))), "{field} at {offset}");
        }
        let outcome = changed(&Client::ann(), |type_3| type_3[field..field + 2].copy_from_slice(&[0xff; 2]));
        assert!(matches!(outcome.err(), Some(Fault::OutOfBounds(_))), "{field}");
        // All upon the first octets of the payload.
        let outcome = changed(&Client::ann(), |type_3| {
            type_3[field + 4..field + 8].copy_from_slice(&88u32.to_le_bytes());
        });
        assert!(outcome.is_err() || outcome.is_ok_and(|proof| field == 12 || verify(&proof).is_err()), "{field}");
    }
}

#[test]
fn the_longest_names_pass_and_one_character_more_does_not() {
    let long: &'static str = Box::leak("x".repeat(MAX_NAME + 1).into_boxed_str());
    let longest = &long[..MAX_NAME];
    for flags in [WINDOWS, CURL] {
        let clients = |name| {
            [
                (Client { user: name, ..Client::ann() }, "user name"),
                (Client { domain: name, ..Client::ann() }, "domain name"),
                (Client { workstation: name, ..Client::ann() }, "workstation name"),
            ]
        };
        for (client, _) in clients(longest) {
            assert_eq!(verify(&log_on(&client, flags).unwrap()), Ok(()));
        }
        for (client, field) in clients(long) {
            assert_eq!(log_on(&client, flags).err(), Some(Fault::NameTooLong(field)));
        }
    }
}

#[test]
fn names_that_are_no_text_are_refused() {
    // Half of a pair of surrogates, in each name; the user is ann, so the domain's and the machine's names are longer.
    for (field, name) in [(28, "domain name"), (36, "user name"), (44, "workstation name")] {
        let outcome = changed(&Client::ann(), |type_3| {
            let offset: usize = u32::from_le_bytes(type_3[field + 4..field + 8].try_into().unwrap()) as usize;
            type_3[offset + 1] = 0xd8;
        });
        assert_eq!(outcome.err(), Some(Fault::Text(name)));
    }
    let outcome = log_on(&Client { user: "jürgen", mic: Mic::None, ..Client::ann() }, CURL);
    assert_eq!(outcome.err(), Some(Fault::Text("user name")));
    assert_eq!(Charset::Oem.encode("ann"), b"ann");
}

#[test]
fn an_encrypted_session_key_of_another_length_is_refused() {
    for length in [1u8, 15] {
        let outcome = changed(&Client::ann(), |type_3| type_3[52] = length);
        assert_eq!(outcome.err(), Some(Fault::SessionKey));
    }
}

#[test]
fn an_octet_in_place_of_a_session_key_that_nothing_is_signed_or_sealed_with_does_no_harm() {
    // What pyspnego sends where neither is asked for.
    let type_1 = negotiate(Flags(WINDOWS.0 & !(Flags::SIGN.0 | Flags::SEAL.0)));
    let challenge = challenge_to(&type_1);
    let mut type_3 = Client { mic: Mic::None, ..Client::ann() }.authenticate(&type_1, challenge.octets());
    type_3[52] = 1;
    type_3.push(0);
    assert_eq!(verify(&challenge.authenticate(&type_3).unwrap()), Ok(()));
}

#[test]
fn debugging_a_proof_shows_names_and_nothing_else() {
    let proof = log_on(&Client::ann(), WINDOWS).unwrap();
    assert_eq!(format!("{proof:?}"), r#"Proof { user: "ann", domain: "EXAMPLE", workstation: "DESK", .. }"#);
}

proptest! {
    #[test]
    fn octets_of_any_kind_do_no_harm_and_prove_nothing(
        octets in proptest::collection::vec(any::<u8>(), 0..400),
        at in 12usize..88,
    ) {
        let _ = Negotiate::parse(&octets);
        let headed = [b"NTLMSSP\0\x03\0\0\0".as_slice(), &octets].concat();
        let proof = challenge_to(&negotiate(WINDOWS)).authenticate(&headed);
        prop_assert!(proof.is_err() || proof.is_ok_and(|proof| verify(&proof).is_err()));
        // And a right answer of which a few octets of the fixed part are others.
        let proof = changed(&Client::ann(), |type_3| {
            for (to, from) in type_3[at..].iter_mut().zip(octets.iter().take(4)) {
                *to ^= from | 1;
            }
        });
        if let Ok(proof) = proof {
            let outcome = verify(&proof);
            // What the MIC covers is the message itself, so that no change of it passes.
            prop_assert!(outcome.is_err() || octets.is_empty());
        }
    }
}
