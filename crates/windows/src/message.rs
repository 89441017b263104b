//! How Pageant is addressed, and what stands in the memory that is shared with it: a message of the agent's protocol, then
//! the answer in the same place.

use underpass_crypto::Hash;

/// Bytes of the shared memory, and so of a message: what Pageant expects.
pub const MAX_MESSAGE: usize = 8192;

/// Bytes before the body: its length.
const HEADER_LEN: usize = 4;

/// Whether Pageant takes a request, header included.
pub fn fits(request: &[u8]) -> bool {
    (HEADER_LEN + 1..=MAX_MESSAGE).contains(&request.len())
}

/// The body of the answer in the shared memory. `None` if its length is none.
pub fn body(memory: &[u8]) -> Option<&[u8]> {
    let (header, rest) = memory.split_first_chunk::<HEADER_LEN>()?;
    let len = usize::try_from(u32::from_be_bytes(*header)).ok()?;
    rest.get(..len).filter(|body| !body.is_empty())
}

/// The name of the memory that is shared for one request at a time of a thread.
pub fn memory_name(thread: u32) -> String {
    format!("PageantRequest{thread:08x}")
}

/// The word of which the name of Pageant's pipe is made, filled up for encryption in blocks of 16 bytes.
pub fn pipe_word() -> [u8; 16] {
    let mut word = [0; 16];
    word[..7].copy_from_slice(b"Pageant");
    word
}

/// The name of Pageant's pipe: of the user's name, without the realm that may follow, and of the [word](pipe_word), which
/// the system has encrypted for this user.
pub fn pipe_name(user: &str, encrypted: &[u8; 16]) -> String {
    let user = user.split('@').next().unwrap_or_default();
    // As SSH writes a string.
    let digest = Hash::Sha256.of(&[&[0, 0, 0, 16][..], encrypted].concat());
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!(r"\\.\pipe\pageant.{user}.{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_as_long_as_it_says_and_stays_within_the_memory() {
        let mut memory = vec![0; MAX_MESSAGE];
        assert_eq!(body(&memory), None, "an answer has a type at least");
        memory[..6].copy_from_slice(&[0, 0, 0, 2, 12, 7]);
        assert_eq!(body(&memory), Some(&[12, 7][..]));
        memory[..4].copy_from_slice(&8188_u32.to_be_bytes());
        assert_eq!(body(&memory).map(<[u8]>::len), Some(8188));
        for len in [8189, u32::MAX] {
            memory[..4].copy_from_slice(&len.to_be_bytes());
            assert_eq!(body(&memory), None);
        }
        assert_eq!(body(&[0, 0, 0]), None);
    }

    #[test]
    fn a_request_fits_with_its_header() {
        assert!(fits(&[0; 5]) && fits(&[0; MAX_MESSAGE]));
        assert!(!fits(&[0; 4]) && !fits(&[0; MAX_MESSAGE + 1]));
    }

    #[test]
    fn the_memory_is_named_after_the_thread() {
        assert_eq!(memory_name(0x1a2b), "PageantRequest00001a2b");
    }

    #[test]
    fn the_pipe_is_named_after_the_user_and_the_digest_of_the_word() {
        // printf '\0\0\0\x10Pageant\0\0\0\0\0\0\0\0\0' | sha256sum
        let digest = "2e9e7389b30cd8240bf15518e9a228d6537dc38d64b2070a189ca2fe5452d492";
        assert_eq!(pipe_name("me", &pipe_word()), format!(r"\\.\pipe\pageant.me.{digest}"));
        assert_eq!(pipe_name("me@EXAMPLE.COM", &pipe_word()), pipe_name("me", &pipe_word()));
        assert_ne!(pipe_name("me", &[1; 16]), pipe_name("me", &pipe_word()));
    }
}
