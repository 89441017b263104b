use std::fmt;

/// Why a server opens no channel: a reason code of RFC 4254 section 5.1. Unknown codes stay representable.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OpenFailure(pub u32);

impl OpenFailure {
    /// The server's policy forbids it.
    pub const ADMINISTRATIVELY_PROHIBITED: Self = Self(1);
    /// The server could not connect to the target.
    pub const CONNECT_FAILED: Self = Self(2);
    /// The server knows no such type of channel.
    pub const UNKNOWN_CHANNEL_TYPE: Self = Self(3);
    /// The server lacks memory, descriptors or the like.
    pub const RESOURCE_SHORTAGE: Self = Self(4);
}

impl fmt::Display for OpenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ADMINISTRATIVELY_PROHIBITED => f.write_str("administratively prohibited"),
            Self::CONNECT_FAILED => f.write_str("connect failed"),
            Self::UNKNOWN_CHANNEL_TYPE => f.write_str("unknown channel type"),
            Self::RESOURCE_SHORTAGE => f.write_str("resource shortage"),
            Self(code) => write!(f, "refused with the unknown reason {code}"),
        }
    }
}

impl fmt::Debug for OpenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenFailure({} {self})", self.0)
    }
}

/// What a refusal probably means.
pub(super) struct Inference {
    reason: OpenFailure,
    /// Lower-case text that the server's words contain. Empty: any words.
    words: &'static str,
    /// The guess.
    pub(super) meaning: &'static str,
    /// What to do if the guess is right.
    pub(super) advice: &'static str,
}

/// The first row that fits. The server's words are free text: so this is a guess, to be shown as one.
pub(super) fn infer(reason: OpenFailure, description: &str) -> Option<&'static Inference> {
    let description = description.to_lowercase();
    INFERENCES.iter().find(|row| row.reason == reason && description.contains(row.words))
}

/// The words are those of the C library's errors, which servers pass on.
const INFERENCES: &[Inference] = &[
    Inference {
        reason: OpenFailure::CONNECT_FAILED,
        words: "refused",
        meaning: "nothing listens on the target's port",
        advice: "check that the target's service runs, and that its port is right as seen from the server",
    },
    Inference {
        reason: OpenFailure::CONNECT_FAILED,
        words: "not known",
        meaning: "the server cannot resolve the target's name",
        advice: "use a name or an address of the target that the server knows",
    },
    Inference {
        reason: OpenFailure::CONNECT_FAILED,
        words: "resolution",
        meaning: "the server cannot resolve the target's name",
        advice: "use a name or an address of the target that the server knows",
    },
    Inference {
        reason: OpenFailure::CONNECT_FAILED,
        words: "no address associated",
        meaning: "the target's name has no address that the server can use",
        advice: "use a name or an address of the target that the server knows",
    },
    Inference {
        reason: OpenFailure::CONNECT_FAILED,
        words: "timed out",
        meaning: "the target does not answer, or a firewall drops what the server sends",
        advice: "check that the target runs, and that the server may reach it",
    },
    Inference {
        reason: OpenFailure::CONNECT_FAILED,
        words: "no route",
        meaning: "the server has no route to the target",
        advice: "check the target's address, and that the server may reach it",
    },
    Inference {
        reason: OpenFailure::CONNECT_FAILED,
        words: "unreachable",
        meaning: "the server has no route to the target",
        advice: "check the target's address, and that the server may reach it",
    },
    Inference {
        reason: OpenFailure::CONNECT_FAILED,
        words: "",
        meaning: "nothing listens there, or the target's name does not resolve on the server",
        advice: "check the target's name and port as seen from the server",
    },
    Inference {
        reason: OpenFailure::ADMINISTRATIVELY_PROHIBITED,
        words: "",
        meaning: "forwarding is off (AllowTcpForwarding), restricted to other targets (PermitOpen), or forbidden \
                  for this key",
        advice: "ask the server's administrator to allow forwarding to this target",
    },
    Inference {
        reason: OpenFailure::UNKNOWN_CHANNEL_TYPE,
        words: "",
        meaning: "the server does no forwarding at all",
        advice: "use a server that forwards TCP",
    },
    Inference {
        reason: OpenFailure::RESOURCE_SHORTAGE,
        words: "",
        meaning: "too many connections are open through the server",
        advice: "close some connections, or ask the server's administrator to raise its limits",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_words_decide_between_causes() {
        let meaning = |reason, words| infer(reason, words).map(|row| row.meaning);
        let failed = OpenFailure::CONNECT_FAILED;
        assert_eq!(meaning(failed, "Connection refused"), Some("nothing listens on the target's port"));
        let unresolved = Some("the server cannot resolve the target's name");
        assert_eq!(meaning(failed, "Name or service not known"), unresolved);
        assert_eq!(meaning(failed, "Temporary failure in name resolution"), unresolved);
        assert_eq!(meaning(failed, "Network is unreachable"), Some("the server has no route to the target"));
        assert!(meaning(failed, "").is_some_and(|meaning| meaning.contains("does not resolve")));
        let prohibited = meaning(OpenFailure::ADMINISTRATIVELY_PROHIBITED, "open failed");
        assert!(prohibited.is_some_and(|meaning| meaning.contains("AllowTcpForwarding")));
    }

    #[test]
    fn nothing_is_guessed_from_an_unknown_code() {
        assert!(infer(OpenFailure(99), "Connection refused").is_none());
    }
}
