//! The events, and who handles them.

use std::sync::{Arc, Mutex};

use crate::lock::lock;
use crate::variant::Convert as _;
use crate::{Error, SshTunnel, Variant};

/// Declares the events: a type with its fields for each, and how a program sets its handler.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident: $event:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, PartialEq, Eq)]
            #[expect(clippy::exhaustive_structs, reason = "the interface says what is in it")]
            pub struct $event {
                $($(#[$field_doc])* pub $field: $type,)+
            }
        )+

        /// An event of any kind.
        #[derive(Clone, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is documented at its type")]
        #[expect(clippy::exhaustive_enums, reason = "the interface says which there are")]
        pub enum Event {
            $($event($event),)+
        }

        /// The kinds of events.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is documented at its type")]
        #[expect(clippy::exhaustive_enums, reason = "the interface says which there are")]
        pub enum EventKind {
            $($event,)+
        }

        impl EventKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$event,)+];

            /// The event's name, such as `on_connected`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$event => stringify!($name),)+
                }
            }
        }

        impl Event {
            /// Which kind it is.
            pub fn kind(&self) -> EventKind {
                match self {
                    $(Self::$event(_) => EventKind::$event,)+
                }
            }

            /// Its fields, by name.
            pub fn fields(&self) -> Vec<(&'static str, Variant)> {
                match self {
                    $(Self::$event(event) => {
                        vec![$((stringify!($field), event.$field.clone().into_variant()),)+]
                    })+
                }
            }

            /// Sets the field of that name.
            ///
            /// # Errors
            /// There is none, or it has another type. Which fields are for answers is in [`table::EVENTS`](crate::table::EVENTS).
            pub fn set_field(&mut self, name: &str, value: Variant) -> Result<(), Error> {
                match (self, name) {
                    $($((Self::$event(event), stringify!($field)) => {
                        event.$field = <$type>::from_variant(value)
                            .ok_or_else(|| Error::invalid(format!("The field {name} has another type.")))?;
                    })+)+
                    (event, _) => {
                        let problem = format!("{} has no field {name}.", event.kind().name());
                        return Err(Error::invalid(problem));
                    }
                }
                Ok(())
            }
        }

        $(
            impl From<$event> for Event {
                fn from(event: $event) -> Self {
                    Self::$event(event)
                }
            }

            impl TryFrom<Event> for $event {
                type Error = Event;

                fn try_from(event: Event) -> Result<Self, Event> {
                    match event {
                        Event::$event(event) => Ok(event),
                        other => Err(other),
                    }
                }
            }
        )+

        impl SshTunnel {
            $(
                $(#[$doc])*
                ///
                /// Sets who is told, in place of whoever was. Called by [`do_events`](Self::do_events), and while a
                /// call of the tunnel waits.
                pub fn $name(&self, mut handler: impl FnMut(&Self, &mut $event) + Send + 'static) {
                    self.set_handler(EventKind::$event, Some(Box::new(move |tunnel, event| {
                        if let Event::$event(event) = event {
                            handler(tunnel, event);
                        }
                    })));
                }
            )+
        }
    };
}

events! {
    /// A connection was made, or could not be: to a client, or (-1) to the server.
    on_connected: Connected {
        /// The number of the client's connection, or -1.
        connection_id: i64,
        /// 0, or the code of the error.
        status_code: i64,
        /// `OK`, or what the error means.
        description: String,
    }

    /// A client wants to connect.
    on_connection_request: ConnectionRequest {
        /// Where it comes from.
        address: String,
        /// Its port there.
        port: i64,
        /// Whether it is let in. At first what `AllowedClients` and `BlockedClients` say.
        accept: bool,
    }

    /// Data came from a client; or, with `ChannelDataEOL` and `MaxChannelDataLength` set for its channel, from its target.
    on_data_in: DataIn {
        /// The number of the client's connection.
        connection_id: i64,
        /// The data, without the end of line.
        text: Vec<u8>,
        /// Whether an end of line was found behind it. True where none is looked for.
        eol: bool,
    }

    /// A connection has ended: a client's, or (-1) the one to the server.
    on_disconnected: Disconnected {
        /// The number of the client's connection, or -1.
        connection_id: i64,
        /// 0, or the code of the error.
        status_code: i64,
        /// `OK`, or what the error means.
        description: String,
    }

    /// Something went wrong that no call can report.
    on_error: ErrorReported {
        /// The number of the client's connection, or -1.
        connection_id: i64,
        /// The code.
        error_code: i64,
        /// What it means.
        description: String,
    }

    /// There is a line for the log.
    on_log: Log {
        /// How much detail it is, see `LogLevel`.
        log_level: i64,
        /// The line.
        message: String,
        /// Not used.
        log_type: String,
    }

    /// The connection to the server is about to be made anew.
    on_reconnect_attempt: ReconnectAttempt {
        /// The server.
        host: String,
        /// Its port.
        port: i64,
        /// Which attempt this is, from 1.
        retry_count: i64,
        /// How many may follow, or -1 for any number.
        retries_remaining: i64,
        /// `MaxRetryCount`.
        max_retry_count: i64,
        /// `RetryInterval`, in seconds.
        retry_interval: i64,
        /// 0: the connection to the server.
        retry_type: i64,
        /// 0: for tunnels that listen at the server, which this one does not.
        remote_listening_port: i64,
        /// True gives up.
        cancel: bool,
    }

    /// The program's own authentication is to answer the server.
    on_ssh_custom_auth: SshCustomAuth {
        /// The server's last packet, in hexadecimal; the answer, likewise. Empty gives up.
        packet: String,
    }

    /// The server asks the user something.
    on_ssh_keyboard_interactive: SshKeyboardInteractive {
        /// What the server calls the method.
        name: String,
        /// What the server wants the user to know.
        instructions: String,
        /// The question.
        prompt: String,
        /// The answer. At first `ssh_password`, if `PasswordPrompt` fits the question.
        response: String,
        /// Whether the user may see what is typed.
        echo_response: bool,
    }

    /// The server has shown its key.
    on_ssh_server_authentication: SshServerAuthentication {
        /// The key, as SSH writes it.
        host_key: Vec<u8>,
        /// Its fingerprint in hexadecimal, by `SSHFingerprintHashAlgorithm`.
        fingerprint: String,
        /// The algorithm of the server's signature.
        key_algorithm: String,
        /// The subject of the key's X.509 certificate, if it came with one.
        cert_subject: String,
        /// Its issuer.
        cert_issuer: String,
        /// Not used.
        status: String,
        /// Whether this is the right server. At first whether a setting says so.
        accept: bool,
    }

    /// The connection to the server makes progress.
    on_ssh_status: SshStatus {
        /// What happens.
        message: String,
    }
}

/// Passwords may be among the fields.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind().name())
    }
}

pub(crate) type Handler = Box<dyn FnMut(&SshTunnel, &mut Event) + Send>;

/// Who is told what.
#[derive(Default)]
pub(crate) struct Handlers([Slot; EventKind::ALL.len()]);

/// Shared, so that a handler may be replaced while it runs.
type Slot = Mutex<Option<Arc<Mutex<Handler>>>>;

impl Handlers {
    pub(crate) fn set(&self, kind: EventKind, handler: Option<Handler>) {
        let new = handler.map(|handler| Arc::new(Mutex::new(handler)));
        let old = std::mem::replace(&mut *lock(&self.0[kind as usize]), new);
        // Only now: with it goes what it holds, which may set handlers.
        drop(old);
    }

    /// Whether anybody wants to know.
    pub(crate) fn has(&self, kind: EventKind) -> bool {
        lock(&self.0[kind as usize]).is_some()
    }

    /// Calls whoever wants to know. One thread at a time delivers, so nobody waits here.
    pub(crate) fn call(&self, tunnel: &SshTunnel, event: &mut Event) {
        let handler = lock(&self.0[event.kind() as usize]).clone();
        if let Some(handler) = handler {
            lock(&handler)(tunnel, event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    fn example(kind: EventKind) -> Event {
        let all: Vec<Event> = vec![
            Connected { connection_id: 1, status_code: 0, description: String::new() }.into(),
            ConnectionRequest { address: String::new(), port: 1, accept: true }.into(),
            DataIn { connection_id: 1, text: Vec::new(), eol: true }.into(),
            Disconnected { connection_id: 1, status_code: 0, description: String::new() }.into(),
            ErrorReported { connection_id: 1, error_code: 0, description: String::new() }.into(),
            Log { log_level: 1, message: String::new(), log_type: String::new() }.into(),
            ReconnectAttempt {
                host: String::new(),
                port: 22,
                retry_count: 1,
                retries_remaining: -1,
                max_retry_count: -1,
                retry_interval: 5,
                retry_type: 0,
                remote_listening_port: 0,
                cancel: false,
            }
            .into(),
            SshCustomAuth { packet: String::new() }.into(),
            SshKeyboardInteractive {
                name: String::new(),
                instructions: String::new(),
                prompt: String::new(),
                response: String::new(),
                echo_response: false,
            }
            .into(),
            SshServerAuthentication {
                host_key: Vec::new(),
                fingerprint: String::new(),
                key_algorithm: String::new(),
                cert_subject: String::new(),
                cert_issuer: String::new(),
                status: String::new(),
                accept: false,
            }
            .into(),
            SshStatus { message: String::new() }.into(),
        ];
        all.into_iter().find(|event| event.kind() == kind).unwrap()
    }

    #[test]
    fn events_and_their_fields_are_those_of_the_table() {
        assert_eq!(EventKind::ALL.len(), table::EVENTS.len());
        for (kind, row) in EventKind::ALL.iter().zip(table::EVENTS) {
            assert_eq!(kind.name(), row.name);
            let fields: Vec<_> =
                example(*kind).fields().iter().map(|(name, value)| (*name, value.value_type())).collect();
            let expected: Vec<_> = row.fields.iter().map(|field| (field.name, field.value_type)).collect();
            assert_eq!(fields, expected, "{}", row.name);
        }
    }

    #[test]
    fn fields_are_set_by_name() {
        let mut event = example(EventKind::ConnectionRequest);
        event.set_field("accept", Variant::Bool(false)).unwrap();
        assert!(matches!(&event, Event::ConnectionRequest(request) if !request.accept));
        assert_eq!(event.set_field("accept", Variant::Int(1)).unwrap_err().code(), 10022);
        assert_eq!(event.set_field("other", Variant::Int(1)).unwrap_err().code(), 10022);
    }
}
