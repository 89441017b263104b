//! What the connection asks and tells, as events.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use underpass::{
    Builder, Event as Told, HostCertificate, HostKeyQuestion, PacketTrace, Prompt, Prompter,
    ReconnectAttempt as Due, Secret, ServerPacket, ShownHostKey,
};
use zeroize::Zeroizing;

use crate::code_page::REPLACEMENT;
use crate::lock::lock;
use crate::pattern::Pattern;
use crate::seen::hash_of;
use crate::tunnel::Inner;
use crate::{
    Error, Event, EventKind, Log, ReconnectAttempt, SshCustomAuth, SshKeyboardInteractive,
    SshServerAuthentication, SshStatus, packet, text, trust,
};

/// Has the tunnel's questions and news become events. The tunnel keeps no handle to the component, which would keep both.
pub(crate) fn install(builder: Builder, inner: &Arc<Inner>) -> Builder {
    let to = || Arc::downgrade(inner);
    let (judge, custom, observer, retry) = (to(), to(), to(), to());
    let builder = builder
        .prompter(Questions(to()))
        .host_key_judge(move |shown| judge.upgrade().is_some_and(|inner| inner.trusts(shown)))
        .before_reconnect(move |due| retry.upgrade().is_some_and(|inner| inner.may_retry(due)))
        .observer(move |event| {
            if let Some(inner) = observer.upgrade() {
                inner.told(event);
            }
        })
        .packet_trace(inner.trace.clone());
    match lock(&inner.store).number("ssh_auth_mode") {
        CUSTOM => builder.custom_authentication(move |last| custom.upgrade()?.next_packet(last)),
        _ => builder,
    }
}

/// `LogLevel`: each packet.
const PACKETS: i64 = 2;
/// `LogLevel`: bytes, too.
const BYTES: i64 = 3;

/// `ssh_auth_mode`: the program makes the packets.
const CUSTOM: i64 = 6;

impl Inner {
    /// Whether a server's key is the right one: as the settings say, unless the handler says otherwise.
    fn trusts(&self, shown: &ShownHostKey) -> bool {
        if let Err(error) = self.check_version() {
            *lock(&self.refusal) = Some(error);
            return false;
        }
        lock(&self.seen).key.clone_from(&shown.key);
        let (accept, hash) = {
            let store = lock(&self.store);
            (trust::accepts(&store, shown), hash_of(&store))
        };
        let (cert_subject, cert_issuer) = match &shown.certificate {
            Some(HostCertificate::X509 { names, .. }) => (names.subject.clone(), names.issuer.clone()),
            _ => Default::default(),
        };
        let question = SshServerAuthentication {
            host_key: shown.blob.clone(),
            fingerprint: underpass::hex_fingerprint(&shown.key, hash),
            key_algorithm: shown.algorithm.clone(),
            cert_subject,
            cert_issuer,
            status: String::new(),
            accept,
        };
        let answer = self.ask_blocking(question.into());
        matches!(answer, Some(Event::SshServerAuthentication(answer)) if answer.accept)
    }

    /// Whether the server is one of those that `SSHVersionPattern` describes.
    ///
    /// # Errors
    /// 1002: it is not.
    fn check_version(&self) -> Result<(), Error> {
        let version = lock(&self.seen).server_version.clone();
        let patterns = lock(&self.store).text("SSHVersionPattern");
        if Pattern::list(&patterns).iter().any(|pattern| pattern.matches(&version)) {
            return Ok(());
        }
        let shown = version.escape_debug();
        Err(Error::new(1002).because(format!("The server is `{shown}`; SSHVersionPattern is `{patterns}`.")))
    }

    /// Whether another attempt is wanted.
    fn may_retry(&self, due: &Due) -> bool {
        self.disconnected(&Err(Error::from(&due.error)));
        self.retries.store(due.attempt, Ordering::Relaxed);
        let question = {
            let store = lock(&self.store);
            let count = i64::from(due.attempt);
            let most = due.max_attempts.map(i64::from);
            ReconnectAttempt {
                host: store.text("ssh_host"),
                port: store.number("ssh_port"),
                retry_count: count,
                retries_remaining: most.map_or(-1, |most| (most - count).max(0)),
                max_retry_count: most.unwrap_or(-1),
                retry_interval: store.number("RetryInterval"),
                retry_type: 0,
                remote_listening_port: 0,
                cancel: false,
            }
        };
        let answer = self.ask_blocking(question.into());
        matches!(answer, Some(Event::ReconnectAttempt(answer)) if !answer.cancel)
    }

    /// The program's answer to a packet of the server.
    fn next_packet(&self, last: ServerPacket<'_>) -> Option<Secret> {
        let question = SshCustomAuth { packet: packet::encode_packet(last.payload) };
        let Some(Event::SshCustomAuth(answer)) = self.ask_blocking(question.into()) else { return None };
        let packet = packet::decode_packet(&answer.packet).ok().filter(|packet| !packet.is_empty());
        packet.map(Secret::new)
    }

    /// Tells of text of the server's that the code page could not make sense of.
    fn check_text(&self, texts: &[&str]) {
        if texts.iter().any(|text| text.contains(REPLACEMENT)) {
            let page = lock(&self.store).number("CodePage");
            let advice = format!("The server's question has bytes that are nothing in code page {page}.");
            self.report(crate::link::SERVER, &Error::new(434).because(advice));
        }
    }

    /// The answer to one prompt.
    fn response(&self, name: &str, instructions: &str, prompt: &Prompt) -> Option<Secret> {
        let response = {
            let store = lock(&self.store);
            let pattern = store.text("PasswordPrompt");
            let fits = !pattern.is_empty() && Pattern::new(&pattern).matches(&prompt.text);
            if fits { store.text("ssh_password") } else { String::new() }
        };
        let question = SshKeyboardInteractive {
            name: name.to_owned(),
            instructions: instructions.to_owned(),
            prompt: prompt.text.clone(),
            response,
            echo_response: prompt.echo,
        };
        let Some(Event::SshKeyboardInteractive(answer)) = self.ask_blocking(question.into()) else {
            return None;
        };
        match text::encode(&lock(&self.store), &answer.response) {
            Ok(bytes) => Some(Secret::new(bytes)),
            Err(error) => {
                self.report(crate::link::SERVER, &error);
                None
            }
        }
    }

    /// News of the connection.
    fn told(self: &Arc<Self>, event: &Told) {
        if let Told::Packet { bytes, .. } = event {
            return match bytes {
                None => self.log(PACKETS, event.to_string()),
                Some(bytes) => self.log(BYTES, format!("{event}\n{}", bytes.dump())),
            };
        }
        self.take_note(event);
        let text = event.to_string();
        self.tell_line(EventKind::SshStatus, || SshStatus { message: text.clone() });
        self.log(i64::from(event.level().max(1)), text);
    }

    /// What members tell later.
    fn take_note(self: &Arc<Self>, event: &Told) {
        match event {
            Told::Identified { line, .. } => lock(&self.seen).server_version.clone_from(line),
            Told::KeyExchange { strict, rekey: false, .. } => lock(&self.seen).strict = Some(*strict),
            Told::Reconnected { .. } => self.connected(&Ok(())),
            _ => {}
        }
    }

    /// Has packets told as far as the log is to have them. Nobody looks at packets for a log that nobody gets.
    pub(crate) fn adjust_trace(&self) {
        let (level, is_masked) = {
            let store = lock(&self.store);
            (store.number("LogLevel"), store.flag("MaskSensitive"))
        };
        self.trace.set(match level {
            _ if !self.handlers.has(EventKind::Log) => PacketTrace::Off,
            ..PACKETS => PacketTrace::Off,
            PACKETS => PacketTrace::Packets,
            _ if is_masked => PacketTrace::Bytes,
            _ => PacketTrace::DangerouslyUnmasked,
        });
    }

    /// A line for the log, if so much detail is wanted.
    pub(crate) fn log(&self, log_level: i64, message: String) {
        if log_level <= lock(&self.store).number("LogLevel") {
            self.tell_line(EventKind::Log, || Log { log_level, message, log_type: String::new() });
        }
    }
}

/// Answers what the server asks a user.
struct Questions(Weak<Inner>);

impl Prompter for Questions {
    /// The one that there is, is a property. Questions of the server's are another matter, so the tunnel is not given it.
    fn password(&self, _: &str, _: &str, _: u32) -> Option<Secret> {
        let inner = self.0.upgrade()?;
        let store = lock(&inner.store);
        let password = Zeroizing::new(store.text("ssh_password"));
        let encoded = text::encode(&store, &password).ok();
        encoded.filter(|bytes| !bytes.is_empty()).map(Secret::new)
    }

    /// As the password: a property.
    fn passphrase(&self, _: &Path, _: u32) -> Option<Secret> {
        None
    }

    fn responses(&self, name: &str, instruction: &str, prompts: &[Prompt]) -> Option<Vec<Secret>> {
        let inner = self.0.upgrade()?;
        let texts = prompts.iter().map(|prompt| prompt.text.as_str()).chain([name, instruction]);
        inner.check_text(&texts.collect::<Vec<_>>());
        prompts.iter().map(|prompt| inner.response(name, instruction, prompt)).collect()
    }

    /// The interface has no event for it.
    fn new_password(&self, _: &str) -> Option<Secret> {
        None
    }

    /// The judge has decided.
    fn accept_host_key(&self, _: &HostKeyQuestion) -> bool {
        false
    }
}
