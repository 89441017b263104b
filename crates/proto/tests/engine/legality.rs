//! Each message is taken in its phases and directions and in no others: the wire's table against the engine.

use underpass_proto::error::PeerMisbehaved;
use underpass_proto::{Answer, Config, Error, Event, Question, Role};
use underpass_testkit::duel::Duel;
use underpass_testkit::peer::Peer;
use underpass_wire::{Context, Direction, MessageInfo, Number, Phases, ServiceRequest, TABLE, lookup};

use crate::support::ROLES;

/// Brings an engine to a phase of the peer.
fn reach(role: Role, phase: Phases) -> Duel {
    // Without strictness, whose rules come on top and are tested apart.
    let mut duel = Duel::new(Peer::plain(role, 5), Config::default());
    if phase == Phases::FIRST_KEX {
        duel.propose();
        return duel;
    }
    duel.exchange_keys();
    if phase == Phases::SERVICE {
        return duel;
    }
    if phase == Phases::AUTH {
        match role {
            Role::Server => duel.grant_service(),
            Role::Client => {
                duel.peer.send(&ServiceRequest { name: "ssh-userauth" });
                duel.settle();
            }
        }
        return duel;
    }
    duel.log_on();
    if phase == Phases::REKEY {
        duel.peer.send_kexinit();
        duel.settle();
    }
    duel
}

fn is_legal(row: &MessageInfo, sender: Role, phase: Phases) -> bool {
    let direction = match row.direction {
        Direction::Both => true,
        Direction::ClientToServer => sender == Role::Client,
        Direction::ServerToClient => sender == Role::Server,
    };
    direction && row.phases.contains(phase)
}

/// Whether the engine objects to a message's phase rather than to its content, when the content is of no use.
fn is_called_illegal(error: Option<&Error>, number: Number) -> bool {
    matches!(error, Some(Error::Peer(PeerMisbehaved::Unexpected { number: named, .. })) if *named == number)
}

#[test]
fn every_message_is_illegal_outside_its_phases_and_direction() {
    let phases = [Phases::FIRST_KEX, Phases::SERVICE, Phases::AUTH, Phases::OPEN, Phases::REKEY];
    for role in ROLES {
        for phase in phases {
            for number in 1..=u8::MAX {
                let Some(row) = lookup(number, Context::default()) else { continue };
                let mut duel = reach(role, phase);
                // Legal messages fail at their content, illegal ones before it is looked at.
                duel.peer.send_payload(&[number]);
                let error = duel.end();
                let legal = is_legal(row, role, phase);
                let illegal = is_called_illegal(error.as_ref(), Number(number));
                let by_itself_useless = [
                    // Legal in its phase, and the state knows better.
                    Number::USERAUTH_SUCCESS,
                    Number::NEWKEYS,
                    Number::NEWCOMPRESS,
                ];
                if !by_itself_useless.contains(&Number(number)) {
                    assert_eq!(illegal, !legal, "{} from a {role:?} in {phase:?}: {error:?}", row.name);
                } else if !legal {
                    assert!(illegal, "{} from a {role:?} in {phase:?}: {error:?}", row.name);
                }
            }
        }
    }
}

#[test]
fn numbers_of_methods_that_do_not_run_are_illegal_everywhere() {
    let phases = [Phases::SERVICE, Phases::AUTH, Phases::OPEN, Phases::REKEY];
    for role in ROLES {
        for phase in phases {
            for number in (30..=49).chain(60..=79) {
                let of_running_method = phase == Phases::REKEY && (30..=31).contains(&number);
                if of_running_method {
                    continue;
                }
                let mut duel = reach(role, phase);
                duel.peer.send_payload(&[number, 0, 0, 0, 0]);
                let error = duel.expect_end();
                assert!(is_called_illegal(Some(&error), Number(number)), "{number} in {phase:?}: {error}");
            }
        }
    }
}

#[test]
fn a_malformed_message_is_named_in_the_error() {
    let mut checked = 0;
    for row in TABLE.iter().filter(|row| row.phases.contains(Phases::OPEN) && row.kex.is_none()) {
        for role in ROLES {
            if !is_legal(row, role, Phases::OPEN) {
                continue;
            }
            let mut duel = reach(role, Phases::OPEN);
            // Too short for all that have content, too long for the others.
            duel.peer.send_payload(&[row.number.0, 0xff, 0xff, 0xff]);
            match duel.end() {
                Some(Error::Peer(PeerMisbehaved::Message { number, .. })) => {
                    assert_eq!(number, row.number);
                    checked += 1;
                }
                // A reply's data may be anything.
                None => assert_eq!(row.number, Number::REQUEST_SUCCESS),
                Some(error) => panic!("{}: {error}", row.name),
            }
        }
    }
    assert!(checked > 20);
}

#[test]
fn the_peer_is_not_asked_to_wait_for_the_host_key() {
    // Its keys are in use before ours: what it may say in the next phase is legal.
    let mut duel = Duel::new(Peer::plain(Role::Server, 5), Config::default());
    duel.propose();
    let init = duel.expect(Number::KEX_ECDH_INIT);
    duel.peer.send_reply(&underpass_testkit::peer::public_of(&init));
    duel.peer.send_newkeys();
    let (id, question) = duel.expect_question();
    assert!(matches!(question, Question::HostKey { .. }));
    duel.peer.send(&underpass_wire::ExtInfo { extensions: underpass_wire::List::EMPTY });
    duel.expect_alive();
    duel.engine.answer(id, Answer::HostKey(true), duel.now);
    duel.expect(Number::NEWKEYS);
    duel.expect(Number::SERVICE_REQUEST);
    assert!(duel.events.iter().any(|event| matches!(event, Event::KeysExchanged { .. })));
}
