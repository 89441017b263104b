use std::{borrow::Cow, path::PathBuf};

use underpass_crypto::{Named, Provider, Strength};
use underpass_wire::DisconnectReason;

use super::{DialAttempt, Error, ErrorKind, HostKeyLocation, Step, refusal};

/// What to do about `error`, one sentence without a full stop.
pub(super) fn advice(error: &Error) -> Option<Cow<'_, str>> {
    let fixed = match error.kind() {
        ErrorKind::HostKeyUnknown { files, .. } => return Some(host_key_unknown(error.host(), files)),
        ErrorKind::HostKeyChanged { recorded, .. } => return Some(host_key_changed(recorded.as_ref())),
        ErrorKind::Bind { holder, address, .. } => return Some(bind(holder.as_deref(), address.port())),
        ErrorKind::Disconnected { reason, .. } => disconnected(*reason, error.step()),
        ErrorKind::TargetRefused { reason, description, .. } => {
            return refusal::infer(*reason, description).map(|row| row.advice.into());
        }
        ErrorKind::Configuration { .. } => return None,
        ErrorKind::Resolve { .. } => {
            "check the spelling of the server's name, and that this machine can look names up"
        }
        ErrorKind::Dial { attempts } => dial(attempts),
        ErrorKind::Timeout { .. } => timeout(error.step()),
        ErrorKind::PeerMisbehaved { .. } => {
            "check that an SSH server listens on this port; if it does, one of the two programs has a fault: \
             report it with the most verbose output"
        }
        ErrorKind::PeerIncompatible { list, theirs, .. } => return Some(incompatible(list, theirs)),
        ErrorKind::PeerRejected { .. } => {
            "update the server, or demand less of it: see the settings for the strict key exchange and for the server's \
             identification"
        }
        ErrorKind::HostKeyRevoked { .. }
        | ErrorKind::HostKeyRejected { .. }
        | ErrorKind::HostCertificate { .. } => host_key(error.kind()),
        ErrorKind::Authentication { tried, accepted, .. } => authentication(tried, accepted),
        ErrorKind::Kerberos { .. } => "run kinit, and check krb5.conf",
        ErrorKind::Identity { .. } => {
            "check the path, the format and the passphrase of the key; it must be the private key, not the .pub file"
        }
        ErrorKind::Agent { .. } => {
            "check that the agent runs, that SSH_AUTH_SOCK or IdentityAgent says where, that it is not locked, and with \
             `ssh-add -l` which keys it holds; `IdentityAgent none` does without it"
        }
        ErrorKind::Lost { .. } | ErrorKind::PeerDead { .. } => "check the network and the server",
        ErrorKind::BindUnix { .. } => {
            "remove the file, choose another path, or have a stale socket replaced (StreamLocalBindUnlink)"
        }
        ErrorKind::Hop { .. } => {
            "check the server's name and port as seen from the hop, and that the hop may forward to it"
        }
        ErrorKind::Proxy { .. } => {
            "check the proxy's address, its user and password, and that it may reach the server"
        }
        ErrorKind::TargetUnreachable { .. } => {
            "check the target's name and port as seen from this machine, and that its service runs"
        }
        ErrorKind::ForwardRefused { .. } => {
            "choose another port: this one may be taken, below 1024, or not allowed (AllowTcpForwarding, PermitListen and \
             GatewayPorts of sshd); a port of an earlier connection is free again once the server notices its end"
        }
        ErrorKind::NotAllowed { .. } => "allow it in the tunnel's settings, if it is to be",
        ErrorKind::ClientMisbehaved { .. } => {
            "set the client up for a SOCKS or HTTP proxy, with the user and password that the tunnel demands of it"
        }
        ErrorKind::TooMany { .. } => "close some connections, or allow more of them",
        ErrorKind::NotConnected { .. } => {
            "wait: the tunnel keeps trying to reach the server, and tells when it has"
        }
        ErrorKind::NotReconnected { .. } | ErrorKind::Stopped => return None,
        ErrorKind::Internal { .. } => "this is a fault of Underpass: report it with the most verbose output",
    };
    Some(Cow::Borrowed(fixed))
}

fn host_key_unknown(host: Option<&str>, files: &[PathBuf]) -> Cow<'static, str> {
    let host = host.unwrap_or("the host");
    let file = files.first().map_or("a known_hosts file".into(), |file| file.display().to_string());
    format!(
        "compare the fingerprint with one from the server's administrator, then add the key of {host} to {file}; where \
         nobody can be on the way at this moment, StrictHostKeyChecking=accept-new adds it"
    )
    .into()
}

/// Names what would do, if there is something.
fn incompatible(list: &str, theirs: &[String]) -> Cow<'static, str> {
    let all = Provider::ALL;
    let kinds = [
        ("key exchange", "KexAlgorithms", strengths(all.kex)),
        ("host key", "HostKeyAlgorithms", strengths(all.signatures)),
        ("cipher", "Ciphers", strengths(all.ciphers)),
        ("MAC", "MACs", strengths(all.macs)),
    ];
    let kind = kinds.into_iter().find(|(what, ..)| list.starts_with(what));
    // Ours come in order of preference.
    let common = kind.and_then(|(_, keyword, ours)| {
        let shared = |(name, _): &(&str, Strength)| theirs.iter().any(|theirs| theirs == name);
        ours.into_iter().find(shared).map(|(name, strength)| (keyword, name, strength))
    });
    match common {
        Some((keyword, name, Strength::Modern)) => {
            format!("accept what the server has: `-o {keyword}=+{name}`, or the same in the settings").into()
        }
        Some((keyword, name, Strength::Legacy)) => format!(
            "update the server; until then `-o {keyword}=+{name}`, or the same in the settings, accepts what it has, which \
             is weak"
        )
        .into(),
        None => "update the server: it has nothing that Underpass has (`underpass algorithms` lists that)".into(),
    }
}

fn strengths<T: Named>(algorithms: &[&T]) -> Vec<(&'static str, Strength)> {
    algorithms.iter().map(|algorithm| (algorithm.name(), algorithm.strength())).collect()
}

fn host_key(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::HostKeyRevoked { .. } => {
            "do not connect: the key may be in somebody else's hands; ask the server's administrator"
        }
        ErrorKind::HostKeyRejected { .. } => {
            "compare the fingerprint with one from the server's administrator"
        }
        _ => {
            "ask the server's administrator for a new certificate; until then the key itself can be put on record"
        }
    }
}

fn host_key_changed(recorded: Option<&HostKeyLocation>) -> Cow<'static, str> {
    let remove = match recorded {
        Some(HostKeyLocation { file, line }) => format!("remove line {line} of {}", file.display()),
        None => "remove the old key".to_owned(),
    };
    format!(
        "somebody may be intercepting the connection: ask the server's administrator; if the key was replaced \
         on purpose, {remove} and compare the new fingerprint"
    )
    .into()
}

fn bind(holder: Option<&str>, port: u16) -> Cow<'static, str> {
    match (holder, port) {
        (Some(holder), _) => format!("end {holder}, choose another port, or port 0 for a free one").into(),
        (None, 1..1024) => {
            "choose a port from 1024 on (lower ones need privileges), or port 0 for a free one".into()
        }
        (None, _) => "choose another address or port, or port 0 for a free one".into(),
    }
}

fn dial(attempts: &[DialAttempt]) -> &'static str {
    if attempts.is_empty() {
        return "allow the other address family";
    }
    match attempts.iter().any(|attempt| attempt.refused) {
        true => "check that the SSH server runs, and on which port: nothing listens on this one",
        false => "check the server's address, and that a firewall lets this machine reach it",
    }
}

fn timeout(step: Step) -> &'static str {
    match step {
        Step::Resolve => "check that this machine can look names up",
        Step::Dial => "check the server's address, and that a firewall lets this machine reach it",
        Step::Identify => {
            "something accepts connections there but does not speak SSH: check host and port, or whether the \
             server is overloaded"
        }
        Step::Negotiate => {
            "the server greets and then says nothing: it may be overloaded, or a firewall on the way lets only small \
             packets through; try again later, or from another network"
        }
        Step::Authenticate => "answer prompts sooner, or allow more time for logging in",
        Step::Ready => "look at the events before: they say what is missing",
        Step::OpenTarget | Step::OpenChannel => {
            "check that the target answers the server, or allow more time"
        }
        _ => "the server may be overloaded or stuck: try again later, or allow more time",
    }
}

fn authentication(tried: &[String], accepted: &[String]) -> &'static str {
    let has = |list: &[String], method: &str| list.iter().any(|name| name.starts_with(method));
    if tried.iter().all(|name| name == "none") {
        return "give a key or a password for a method that the server accepts";
    }
    if tried.iter().all(|name| name.starts_with("gssapi-")) {
        return "get a Kerberos ticket for a principal that may log in as this user, or give a key or a password";
    }
    let password = has(tried, "password") || has(tried, "keyboard-interactive");
    let key_is_left = has(accepted, "publickey") && !has(tried, "publickey");
    match (password, key_is_left) {
        (true, true) => "check the user and the password; the server also accepts keys, and none was offered",
        (true, false) => "check the user and the password",
        (false, true) => {
            "the server accepts keys and none was offered: name a private key, and see that its public half is in the \
             server's authorized_keys"
        }
        (false, false) => "check the user, and that the key's public half is in the server's authorized_keys",
    }
}

fn disconnected(reason: DisconnectReason, step: Step) -> &'static str {
    match (reason, step) {
        (DisconnectReason::TOO_MANY_CONNECTIONS, _) => {
            "wait a little, or close other connections to the server"
        }
        (_, Step::Authenticate) => "offer fewer keys or passwords: servers allow only a few attempts",
        _ => "the server's log says more: ask its administrator",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_key_is_answered_with_the_line_to_remove() {
        let recorded = HostKeyLocation { file: "/home/me/.ssh/known_hosts".into(), line: 7 };
        let error = Error::host_key_changed("bastion", "ssh-ed25519", "SHA256:x", Some(recorded));
        let advice = error.advice().expect("there is always advice");
        assert!(advice.contains("line 7 of /home/me/.ssh/known_hosts"), "{advice}");
        assert!(advice.contains("intercepting"), "{advice}");
    }

    #[test]
    fn a_server_without_common_algorithms_is_answered_with_what_it_has() {
        let advice = |list: &str, theirs: &[&str]| {
            let theirs = theirs.iter().map(|&name| name.to_owned()).collect();
            let error = Error::peer_incompatible(Step::Negotiate, "bastion", list, Vec::new(), theirs);
            error.advice().expect("there is always advice").into_owned()
        };
        assert!(advice("MAC to the server", &["hmac-md5", "hmac-sha2-256"]).contains("MACs=+hmac-sha2-256`"));
        assert!(
            advice("host key algorithm", &["ecdsa-sha2-nistp256"])
                .contains("HostKeyAlgorithms=+ecdsa-sha2-nistp256`")
        );
        let weak = advice("cipher to the client", &["3des-cbc"]);
        assert!(weak.contains("Ciphers=+3des-cbc`") && weak.contains("weak"), "{weak}");
        assert!(advice("key exchange method", &["none-such"]).starts_with("update"));
    }

    #[test]
    fn a_refused_login_is_answered_by_what_was_not_tried() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let advice = |tried, accepted| {
            let error = Error::authentication("bastion", "me", names(tried), names(accepted));
            error.advice().expect("there is always advice").into_owned()
        };
        assert!(advice(&["password"], &["publickey"]).contains("none was offered"));
        assert!(advice(&["publickey", "password"], &["publickey"]).contains("the password"));
        assert!(advice(&["publickey"], &["publickey"]).contains("authorized_keys"));
    }
}
