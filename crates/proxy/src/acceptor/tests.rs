use super::*;
use crate::limits::MAX_HEAD;

/// However long a client talks, what is kept of it is one message.
#[test]
fn a_client_that_never_ends_its_request_is_held_within_the_bound() {
    let heads = [
        &b"CONNECT a:1 HTTP/1.1\r\n"[..],
        b"CONNECT ",
        &[4, 1, 0, 22, 127, 0, 0, 1],
        &[4, 1, 0, 22, 0, 0, 0, 1, b'u', 0],
        &[5, 255],
        &[5, 1, 0, 5, 1, 0, 3, 255],
    ];
    for head in heads {
        for filler in [&b"a"[..], b"a: b\r\n", &[0xff; 100]] {
            let mut acceptor = Acceptor::new(Access::Anyone);
            let mut bytes = head;
            for _ in 0..2 * MAX_HEAD {
                let progress = acceptor.receive(bytes);
                let held = acceptor.incoming.rest().len();
                match progress {
                    Ok(Progress::More) => assert!(held < MAX_HEAD, "{held} bytes"),
                    Ok(Progress::Asked(_)) => assert!(held <= bytes.len(), "{held} bytes"),
                    Err(_) => assert_eq!(held, 0),
                }
                if progress != Ok(Progress::More) {
                    break;
                }
                bytes = filler;
            }
            assert!(!matches!(acceptor.state, State::Http | State::Socks4), "it still waits");
        }
    }
}

#[test]
fn what_follows_the_request_is_taken_once_and_not_added_to() {
    let mut acceptor = Acceptor::new(Access::Anyone);
    acceptor.receive(b"\x04\x01\0\x16\x7f\0\0\x01\0SSH-").unwrap();
    assert_eq!(acceptor.receive(b"more"), Err(Refused::AlreadyAsked));
    assert_eq!(acceptor.early(), b"SSH-");
    assert_eq!(acceptor.take_early(), b"SSH-");
    assert_eq!(acceptor.take_early(), b"");
}

#[test]
fn no_password_is_in_the_debug_output() {
    let account = crate::Credentials::new("ann", "hunter2").unwrap();
    let mut acceptor = Acceptor::new(Access::Accounts([account].into()));
    acceptor.receive(b"\x05\x01\x02\x01\x03ann\x07hunter").unwrap();
    assert!(!format!("{acceptor:?}").contains("hunter"));
}
