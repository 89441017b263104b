//! Which parts of messages nobody may see, as a table.
//!
//! Keys are not in it: no message holds a private key, nor one of the session's. Nor is what channels carry, which is the
//! users' own: whoever asks for bytes asks for those.

use underpass_wire::{Context, Number, Reader};

/// A field that some message has.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// So many bytes.
    Bytes(usize),
    /// A string.
    Text,
    /// A string that nobody may see.
    Secret,
    /// All that is left.
    Rest,
}

use Part::{Bytes, Rest, Secret, Text};

/// The fields behind the message's number. What is left behind the last one is masked.
type Layout = &'static [Part];

/// By the RFC's name of the message. One that is not here has no secrets, but see [`DOUBTFUL`].
const MESSAGES: &[(&str, Layout)] = &[
    // RFC 4256 section 3.4: a count, and the user's answers.
    ("SSH_MSG_USERAUTH_INFO_RESPONSE", &[Bytes(4)]),
    // RFC 4462: tokens may be used again elsewhere, and MICs can help to guess what their keys are made from.
    ("SSH_MSG_KEXGSS_INIT", &[Secret, Text]),
    ("SSH_MSG_KEXGSS_CONTINUE", &[Secret]),
    ("SSH_MSG_KEXGSS_COMPLETE", &[Text, Secret, Bytes(1), Secret]),
    ("SSH_MSG_USERAUTH_GSSAPI_TOKEN", &[Secret]),
    ("SSH_MSG_USERAUTH_GSSAPI_ERRTOK", &[Secret]),
    ("SSH_MSG_USERAUTH_GSSAPI_MIC", &[Secret]),
];

/// What follows the method's name in SSH_MSG_USERAUTH_REQUEST (RFC 4252 section 5). Of a method that is not here nobody
/// knows what is secret.
const METHODS: &[(&[u8], Layout)] = &[
    (b"none", &[]),
    // RFC 4252 section 8: whether it is to be changed, the password, and perhaps a new one.
    (b"password", &[Bytes(1), Secret, Secret]),
    (b"publickey", &[Rest]),
    (b"hostbased", &[Rest]),
    (b"keyboard-interactive", &[Rest]),
    (b"gssapi-with-mic", &[Rest]),
    (b"gssapi-keyex", &[Secret]),
];

/// Numbers whose meaning depends on what is under way, and which a program may use for methods of its own: where it is not
/// known, all of the message is masked.
const DOUBTFUL: std::ops::RangeInclusive<u8> = 30..=79;

/// A payload in pieces; `None` for one that nobody may see.
pub(super) fn pieces(payload: &[u8], context: Context) -> impl Iterator<Item = Option<&[u8]>> {
    let number = Number(payload.first().copied().unwrap_or_default());
    let (head, layout) = match number {
        Number::USERAUTH_REQUEST => request(payload),
        _ => (1.min(payload.len()), layout(number, context)),
    };
    let (head, rest) = payload.split_at(head);
    let masked = Masked { reader: Reader::new(rest), layout: layout.iter() };
    [head].into_iter().filter(|head| !head.is_empty()).map(Some).chain(masked)
}

fn layout(number: Number, context: Context) -> Layout {
    match number.name_in(context) {
        Some(name) => MESSAGES.iter().find(|(of, _)| *of == name).map_or(&[Rest], |(_, layout)| layout),
        None if DOUBTFUL.contains(&number.0) => &[],
        None => &[Rest],
    }
}

/// Where the fields of a request's method begin, and which those are.
fn request(payload: &[u8]) -> (usize, Layout) {
    let mut reader = Reader::new(payload);
    let method =
        reader.u8().and_then(|_| reader.string()).and_then(|_| reader.string()).and_then(|_| reader.string());
    match method {
        Ok(method) => {
            let layout = METHODS.iter().find(|(of, _)| *of == method).map_or(&[][..], |(_, layout)| layout);
            (payload.len() - reader.remaining(), layout)
        }
        // Nobody knows where its fields are.
        Err(_) => (1, &[]),
    }
}

/// What follows a message's head.
struct Masked<'a> {
    reader: Reader<'a>,
    layout: std::slice::Iter<'static, Part>,
}

impl<'a> Iterator for Masked<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let whole = self.reader.clone().rest();
        let seen = match self.layout.next() {
            Some(Bytes(count)) => self.reader.bytes(*count).is_ok(),
            Some(Text) => self.reader.string().is_ok(),
            Some(Secret) => {
                // Its length is a secret too.
                if self.reader.string().is_err() {
                    self.reader.rest();
                }
                return Some(None);
            }
            Some(Rest) => {
                self.reader.rest();
                true
            }
            None => false,
        };
        if !seen {
            self.reader.rest();
            return Some(None);
        }
        Some(Some(&whole[..whole.len() - self.reader.remaining()]))
    }
}

#[cfg(test)]
mod tests {
    use underpass_wire::{AuthMethod, Encode, KexFamily, Message, TABLE, UserauthMethod, UserauthRequest};

    use super::*;

    /// What shows of a payload, with `*` for what does not.
    fn shown(payload: &[u8], context: Context) -> Vec<u8> {
        pieces(payload, context).flat_map(|piece| piece.unwrap_or(b"*").to_vec()).collect()
    }

    #[test]
    fn rows_are_of_messages_and_methods_that_there_are() {
        for (name, _) in MESSAGES {
            assert!(TABLE.iter().any(|row| row.name == *name), "{name}");
        }
        for method in AuthMethod::ALL {
            assert!(METHODS.iter().any(|(name, _)| *name == method.name().as_bytes()), "{}", method.name());
        }
    }

    #[test]
    fn what_is_cut_short_shows_no_more_than_what_is_whole() {
        let method =
            UserauthMethod::PasswordChange { old: (&b"hunter2"[..]).into(), new: (&b"hunter3"[..]).into() };
        let mut payload = Vec::new();
        UserauthRequest { user: b"me", service: "ssh-connection", method }.encode(&mut payload);
        let whole = shown(&payload, Context::default());
        assert!(whole.ends_with(b"password\x01**"), "{whole:?}");
        for length in 0..payload.len() {
            let part = shown(&payload[..length], Context::default());
            assert!(part == b"2" || !part.windows(6).any(|text| text == b"hunter"), "{length}: {part:?}");
        }
    }

    #[test]
    fn what_follows_the_last_field_is_masked() {
        let context = Context { auth: Some(AuthMethod::KeyboardInteractive), kex: None };
        assert_eq!(shown(b"\x3d\0\0\0\x01\0\0\0\x01x", context), b"\x3d\0\0\0\x01*");
        let context = Context { auth: None, kex: Some(KexFamily::Gss) };
        assert_eq!(shown(b"\x1e\0\0\0\x02tt\0\0\0\x01pmore", context), b"\x1e*\0\0\0\x01p*");
    }

    #[test]
    fn a_method_of_a_programs_own_is_masked_and_so_are_its_messages() {
        let request = b"\x32\0\0\0\x02me\0\0\0\x01s\0\0\0\x03otpsecret";
        assert_eq!(shown(request, Context::default()), b"\x32\0\0\0\x02me\0\0\0\x01s\0\0\0\x03otp*");
        assert_eq!(shown(b"\x3dsecret", Context::default()), b"\x3d*");
        assert_eq!(shown(b"\xc8other", Context::default()), b"\xc8other");
    }

    #[test]
    fn most_messages_have_no_secrets() {
        let payload = b"\x5e\0\0\0\x07\0\0\0\x04data";
        assert!(matches!(Message::decode(payload, Context::default()), Ok(Message::ChannelData(_))));
        assert_eq!(shown(payload, Context::default()), payload);
        assert_eq!(shown(b"", Context::default()), b"");
    }
}
