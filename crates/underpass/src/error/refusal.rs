use underpass_proxy::Outcome;
use underpass_wire::OpenFailureReason;

/// What a refusal probably means.
pub(super) struct Inference {
    reason: OpenFailureReason,
    /// Lower-case text that the server's words contain. Empty: any words.
    words: &'static str,
    /// The guess.
    pub(super) meaning: &'static str,
    /// What to do if the guess is right.
    pub(super) advice: &'static str,
    /// The guess, as a code of the proxy protocols.
    pub(super) outcome: Outcome,
}

/// The first row that fits. The server's words are free text: so this is a guess, to be shown as one.
pub(super) fn infer(reason: OpenFailureReason, description: &str) -> Option<&'static Inference> {
    let description = description.to_lowercase();
    INFERENCES.iter().find(|row| row.reason == reason && description.contains(row.words))
}

/// The words are those of the C library's errors, which servers pass on.
const INFERENCES: &[Inference] = &[
    Inference {
        reason: OpenFailureReason::CONNECT_FAILED,
        words: "refused",
        meaning: "nothing listens on the target's port",
        advice: "check that the target's service runs, and that its port is right as seen from the server",
        outcome: Outcome::Refused,
    },
    Inference {
        reason: OpenFailureReason::CONNECT_FAILED,
        words: "not known",
        meaning: "the server cannot resolve the target's name",
        advice: "use a name or an address of the target that the server knows",
        outcome: Outcome::Unresolvable,
    },
    Inference {
        reason: OpenFailureReason::CONNECT_FAILED,
        words: "resolution",
        meaning: "the server cannot resolve the target's name",
        advice: "use a name or an address of the target that the server knows",
        outcome: Outcome::Unresolvable,
    },
    Inference {
        reason: OpenFailureReason::CONNECT_FAILED,
        words: "no address associated",
        meaning: "the target's name has no address that the server can use",
        advice: "use a name or an address of the target that the server knows",
        outcome: Outcome::Unresolvable,
    },
    Inference {
        reason: OpenFailureReason::CONNECT_FAILED,
        words: "timed out",
        meaning: "the target does not answer, or a firewall drops what the server sends",
        advice: "check that the target runs, and that the server may reach it",
        outcome: Outcome::TimedOut,
    },
    Inference {
        reason: OpenFailureReason::CONNECT_FAILED,
        words: "no route",
        meaning: "the server has no route to the target",
        advice: "check the target's address, and that the server may reach it",
        outcome: Outcome::HostUnreachable,
    },
    Inference {
        reason: OpenFailureReason::CONNECT_FAILED,
        words: "unreachable",
        meaning: "the server has no route to the target",
        advice: "check the target's address, and that the server may reach it",
        outcome: Outcome::NetworkUnreachable,
    },
    Inference {
        reason: OpenFailureReason::CONNECT_FAILED,
        words: "",
        meaning: "nothing listens there, or the target's name does not resolve on the server",
        advice: "check the target's name and port as seen from the server",
        outcome: Outcome::Failed,
    },
    Inference {
        reason: OpenFailureReason::ADMINISTRATIVELY_PROHIBITED,
        words: "",
        meaning: "forwarding is off (AllowTcpForwarding), restricted to other targets (PermitOpen), or forbidden \
                  for this key",
        advice: "ask the server's administrator to allow forwarding to this target",
        outcome: Outcome::NotAllowed,
    },
    Inference {
        reason: OpenFailureReason::UNKNOWN_CHANNEL_TYPE,
        words: "",
        meaning: "the server does no forwarding at all",
        advice: "use a server that forwards TCP",
        outcome: Outcome::NotAllowed,
    },
    Inference {
        reason: OpenFailureReason::RESOURCE_SHORTAGE,
        words: "",
        meaning: "too many connections are open through the server",
        advice: "close some connections, or ask the server's administrator to raise its limits",
        outcome: Outcome::Busy,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_words_decide_between_causes() {
        let meaning = |reason, words| infer(reason, words).map(|row| row.meaning);
        let failed = OpenFailureReason::CONNECT_FAILED;
        assert_eq!(meaning(failed, "Connection refused"), Some("nothing listens on the target's port"));
        let unresolved = Some("the server cannot resolve the target's name");
        assert_eq!(meaning(failed, "Name or service not known"), unresolved);
        assert_eq!(meaning(failed, "Temporary failure in name resolution"), unresolved);
        assert_eq!(meaning(failed, "Network is unreachable"), Some("the server has no route to the target"));
        assert!(meaning(failed, "").is_some_and(|meaning| meaning.contains("does not resolve")));
        let prohibited = meaning(OpenFailureReason::ADMINISTRATIVELY_PROHIBITED, "open failed");
        assert!(prohibited.is_some_and(|meaning| meaning.contains("AllowTcpForwarding")));
    }

    #[test]
    fn nothing_is_guessed_from_an_unknown_code() {
        assert!(infer(OpenFailureReason(99), "Connection refused").is_none());
    }
}
