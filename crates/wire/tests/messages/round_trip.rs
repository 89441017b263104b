//! What is encoded is decoded, whole and nothing else.

use proptest::{collection::vec, prelude::*};
use underpass_wire::*;

use crate::samples::{contexts, encoded, pool, samples};

proptest! {
    #[test]
    fn every_message_survives_a_round_trip(pool in pool()) {
        for (context, message) in samples(&pool) {
            let payload = encoded(&message);
            prop_assert_eq!(payload[0], message.number().0);
            let decoded = Message::decode(&payload, context);
            prop_assert_eq!(decoded.as_ref(), Ok(&message));
            prop_assert_eq!(encoded(&decoded.unwrap()), payload);
        }
    }

    /// A message is read as itself in every context that gives its number this meaning, and in no other.
    #[test]
    fn only_a_fitting_context_gives_a_message_its_meaning(pool in pool()) {
        for (home, message) in samples(&pool) {
            let payload = encoded(&message);
            let row = lookup(payload[0], home).unwrap();
            for context in contexts() {
                let decoded = Message::decode(&payload, context);
                let as_itself = decoded == Ok(message);
                prop_assert_eq!(as_itself, row.applies_in(context), "{:?} in {:?}", message, context);
            }
        }
    }

    #[test]
    fn every_truncation_is_noticed(pool in pool()) {
        for (context, message) in samples(&pool) {
            let payload = encoded(&message);
            for length in 0..payload.len() {
                let decoded = Message::decode(&payload[..length], context);
                if may_end_at(&message, payload.len(), length) {
                    prop_assert!(decoded.is_ok(), "{:?} cut to {}: {:?}", message, length, decoded);
                } else {
                    let truncated = matches!(decoded, Err(DecodeError::Truncated { .. }));
                    prop_assert!(truncated, "{:?} cut to {}: {:?}", message, length, decoded);
                }
            }
        }
    }

    #[test]
    fn a_byte_too_many_is_refused(pool in pool(), extra in any::<u8>()) {
        for (context, message) in samples(&pool) {
            let mut payload = encoded(&message);
            payload.push(extra);
            let decoded = Message::decode(&payload, context);
            match open_tail(&message) {
                Some(_) => prop_assert!(decoded.is_ok_and(|longer| longer != message)),
                None => prop_assert_eq!(decoded, Err(DecodeError::TrailingBytes { count: 1 })),
            }
        }
    }

    /// Damage may go unnoticed, but what is then decoded is itself a message that survives a round trip.
    #[test]
    fn a_damaged_message_is_an_error_or_another_message(
        pool in pool(), at in any::<prop::sample::Index>(), bit in 0..8
    ) {
        for (context, message) in samples(&pool) {
            let mut payload = encoded(&message);
            let at = at.index(payload.len());
            payload[at] ^= 1u8 << bit;
            check_stability(&payload, context)?;
        }
    }

    #[test]
    fn random_bytes_are_an_error_or_a_message(payload in vec(any::<u8>(), 0..200)) {
        for context in contexts() {
            check_stability(&payload, context)?;
        }
    }

    /// Random bodies behind a real number, of which most reach a decoder.
    #[test]
    fn random_bodies_are_an_error_or_a_message(
        body in vec(prop_oneof![Just(0u8), 0..8u8, any::<u8>()], 0..120)
    ) {
        let numbers = TABLE.iter().map(|row| row.number.0);
        for number in numbers {
            let payload = [&[number], &body[..]].concat();
            for context in contexts() {
                check_stability(&payload, context)?;
            }
        }
    }

    #[test]
    fn lists_give_back_what_was_put_in(
        texts in vec((vec(any::<u8>(), 0..10), any::<bool>()), 0..MAX_PROMPTS)
    ) {
        let prompts: Vec<_> = texts.iter().map(|(text, echo)| Prompt { text, echo: *echo }).collect();
        let mut buffer = b"left over".to_vec();
        let list = Prompts::new(prompts.iter().copied(), &mut buffer).unwrap();
        prop_assert_eq!(list.len(), prompts.len());
        prop_assert_eq!(list.is_empty(), prompts.is_empty());
        prop_assert_eq!(list.iter().collect::<Vec<_>>(), prompts);
    }

    #[test]
    fn answers_are_encoded_as_the_response_that_holds_them(
        answers in vec(vec(any::<u8>(), 0..10), 0..MAX_PROMPTS)
    ) {
        let mut payload = Vec::new();
        UserauthInfoResponse::encode_answers(&answers, &mut payload).unwrap();
        let context = Context { auth: Some(AuthMethod::KeyboardInteractive), ..Context::default() };
        let Ok(Message::UserauthInfoResponse(response)) = Message::decode(&payload, context) else {
            panic!("not a response");
        };
        prop_assert!(response.responses.iter().map(|Sensitive(answer)| answer).eq(&answers));
    }
}

/// Decodes, and if that gives a message, goes around once more.
fn check_stability(payload: &[u8], context: Context) -> Result<(), TestCaseError> {
    let Ok(message) = Message::decode(payload, context) else { return Ok(()) };
    let again = encoded(&message);
    prop_assert_eq!(Message::decode(&again, context), Ok(message));
    // Formatting walks every list, so it must not panic either.
    let _ = format!("{message:?}");
    Ok(())
}

/// The last field, if it reaches to the end of the message whatever that is.
fn open_tail<'a>(message: &Message<'a>) -> Option<&'a [u8]> {
    match *message {
        Message::RequestSuccess(RequestSuccess { data })
        | Message::ChannelOpenConfirmation(ChannelOpenConfirmation { data, .. })
        | Message::ChannelRequest(ChannelRequest { data, .. })
        | Message::ChannelOpen(ChannelOpen { kind: ChannelKind::Other { data, .. }, .. }) => Some(data),
        Message::UserauthRequest(UserauthRequest { method: UserauthMethod::Other { data, .. }, .. }) => {
            Some(data.0)
        }
        Message::GlobalRequest(GlobalRequest {
            data: GlobalRequestData::HostKeys { keys: data } | GlobalRequestData::Other { data },
            ..
        }) => Some(data),
        _ => None,
    }
}

/// Whether a message of `full` bytes, cut to `length`, is still one.
fn may_end_at(message: &Message<'_>, full: usize, length: usize) -> bool {
    if let Some(tail) = open_tail(message) {
        return length >= full - tail.len();
    }
    match message {
        // The language may be absent altogether.
        Message::Disconnect(Disconnect { language, .. })
        | Message::ChannelOpenFailure(ChannelOpenFailure { language, .. }) => {
            length == full - 4 - language.len()
        }
        _ => false,
    }
}
