//! What clients say to a proxy: the verdict is the same however the bytes arrive, and nothing beyond the bounds is kept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use underpass_proxy::{Acceptor, AcceptorProgress, Access, Credentials, Outcome, Refused, Request};

fuzz_target!(|input: (bool, u8, &[u8])| {
    let (guarded, portion, bytes) = input;
    let access = match guarded {
        true => Access::Accounts([Credentials::new("ann", "one").expect("both are short words")].into()),
        false => Access::Anyone,
    };
    let whole = accept(access.clone(), bytes, bytes.len().max(1));
    assert_eq!(accept(access, bytes, usize::from(portion).max(1)), whole);
    match whole.0 {
        Some(Ok(request)) => assert_eq!(request.target.check(), Ok(())),
        Some(Err(refused)) => assert!(!refused.to_string().contains(char::is_control)),
        None => {}
    }
});

/// The verdict, what the client was told, and what is left for the target.
fn accept(
    access: Access,
    bytes: &[u8],
    portion: usize,
) -> (Option<Result<Request, Refused>>, Vec<u8>, Vec<u8>) {
    let mut acceptor = Acceptor::new(access);
    let mut told = Vec::new();
    let mut portions = bytes.chunks(portion);
    while let Some(bytes) = portions.next() {
        let progress = acceptor.receive(bytes);
        told.extend(acceptor.transmit());
        acceptor.transmitted(acceptor.transmit().len());
        assert!(acceptor.early().len() <= bytes.len());
        match progress {
            Ok(AcceptorProgress::More) => {}
            Ok(AcceptorProgress::Asked(request)) => {
                let early = [acceptor.take_early(), portions.flatten().copied().collect()].concat();
                told.extend(acceptor.answer(Outcome::Connected));
                return (Some(Ok(request)), told, early);
            }
            Err(refused) => return (Some(Err(refused)), told, Vec::new()),
        }
    }
    (None, told, Vec::new())
}
