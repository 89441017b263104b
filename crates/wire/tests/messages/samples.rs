//! Every message, with fields drawn from random material.

use std::cell::Cell;

use proptest::{collection::vec, prelude::*};
use underpass_wire::*;

/// Owned material from which messages borrow. Each kind is drawn in turn, so neighbouring fields differ.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    strings: Vec<Vec<u8>>,
    texts: Vec<String>,
    names: Vec<String>,
    numbers: Vec<u32>,
    flags: Vec<bool>,
    prompts: Vec<u8>,
    strings_list: Vec<u8>,
    pairs: Vec<u8>,
    cookie: [u8; 16],
    drawn: Cell<usize>,
}

pub(crate) fn pool() -> impl Strategy<Value = Pool> {
    let strings = vec(vec(any::<u8>(), 0..40), 5);
    let texts = vec(".{0,12}", 5);
    let names = vec("([!-+\\--~]{1,20}(,[!-+\\--~]{1,20}){0,4})?", 7);
    let items = vec((vec(any::<u8>(), 0..20), vec(any::<u8>(), 0..20), any::<bool>()), 0..5);
    let scalars = (vec(any::<u32>(), 5), vec(any::<bool>(), 3), any::<[u8; 16]>());
    (strings, texts, names, items, scalars).prop_map(|(strings, texts, names, items, scalars)| {
        let (numbers, flags, cookie) = scalars;
        let mut lists = [vec![], vec![], vec![]];
        lists.iter_mut().for_each(|list| list.put_u32(u32::try_from(items.len()).unwrap()));
        let [prompts, strings_list, pairs] = &mut lists;
        for (first, second, flag) in items {
            prompts.put_string(&first);
            prompts.put_bool(flag);
            strings_list.put_string(&first);
            pairs.put_string(&first);
            pairs.put_string(&second);
        }
        let [prompts, strings_list, pairs] = lists;
        let drawn = Cell::new(0);
        Pool { strings, texts, names, numbers, flags, prompts, strings_list, pairs, cookie, drawn }
    })
}

/// A type of field that can be drawn.
trait Draw<'a> {
    fn draw(pool: &'a Pool) -> Self;
}

impl Pool {
    fn draw<'a, T: Draw<'a>>(&'a self) -> T {
        T::draw(self)
    }

    fn next<'a, T>(&self, of: &'a [T]) -> &'a T {
        let drawn = self.drawn.get();
        self.drawn.set(drawn + 1);
        &of[drawn % of.len()]
    }
}

/// Implements `Draw` by expressions.
macro_rules! draws {
    ($($type:ty: |$pool:ident| $draw:expr;)*) => {
        $(impl<'a> Draw<'a> for $type {
            fn draw($pool: &'a Pool) -> Self {
                $draw
            }
        })*
    };
}

draws! {
    u32: |pool| *pool.next(&pool.numbers);
    bool: |pool| *pool.next(&pool.flags);
    [u8; 16]: |pool| pool.cookie;
    &'a [u8]: |pool| pool.next::<Vec<u8>>(&pool.strings);
    Option<&'a [u8]>: |pool| pool.draw::<bool>().then(|| pool.draw());
    &'a str: |pool| pool.next::<String>(&pool.texts);
    NameList<'a>: |pool| NameList::new(pool.next::<String>(&pool.names)).unwrap();
    Mpint<'a>: |pool| Mpint::from_magnitude(pool.draw());
    Sensitive<'a>: |pool| Sensitive(pool.draw());
    Oid<'a>: |pool| Oid(pool.draw());
    DisconnectReason: |pool| DisconnectReason(pool.draw());
    OpenFailureReason: |pool| OpenFailureReason(pool.draw());
    Prompts<'a>: |pool| Prompts::take(&mut Reader::new(&pool.prompts)).unwrap();
    Responses<'a>: |pool| Responses::take(&mut Reader::new(&pool.strings_list)).unwrap();
    Mechanisms<'a>: |pool| Mechanisms::take(&mut Reader::new(&pool.strings_list)).unwrap();
    Extensions<'a>: |pool| Extensions::take(&mut Reader::new(&pool.pairs)).unwrap();
}

/// A message with each of the named fields drawn.
macro_rules! drawn {
    ($pool:ident: $($name:ident $({ $($field:ident)* })?),* $(,)?) => {
        [$(Message::$name($name $({ $($field: $pool.draw()),* })?)),*]
    };
}

/// A context and the messages that need it, or none in particular.
pub(crate) type Sample<'a> = (Context, Message<'a>);

/// Every message at least once, and every variant of those that have some.
pub(crate) fn samples(pool: &Pool) -> Vec<Sample<'_>> {
    let plain = transport(pool).into_iter().chain(userauth(pool)).chain(connection(pool));
    let plain = plain.map(|message| (Context::default(), message));
    plain.chain(kex(pool)).chain(auth_methods(pool)).collect()
}

fn transport(pool: &Pool) -> Vec<Message<'_>> {
    drawn![pool:
        Disconnect { reason description language },
        Ignore { data },
        Unimplemented { sequence },
        Debug { always_display message language },
        ServiceRequest { name },
        ServiceAccept { name },
        ExtInfo { extensions },
        NewCompress,
        KexInit {
            cookie kex_algorithms server_host_key_algorithms encryption_c2s encryption_s2c mac_c2s mac_s2c
            compression_c2s compression_s2c languages_c2s languages_s2c first_kex_packet_follows reserved
        },
        NewKeys,
        Ping { data },
        Pong { data },
    ]
    .to_vec()
}

fn kex(pool: &Pool) -> Vec<Sample<'_>> {
    let gss = drawn![pool:
        KexGssInit { token client_public },
        KexGssContinue { token },
        KexGssComplete { server_public mic token },
        KexGssHostKey { host_key },
        KexGssError { major minor message language },
    ];
    let families = [
        (
            KexFamily::Ecdh,
            drawn![pool:
                KexEcdhInit { client_public },
                KexEcdhReply { host_key server_public signature },
            ]
            .to_vec(),
        ),
        (KexFamily::Dh, drawn![pool: KexDhInit { e }, KexDhReply { host_key f signature }].to_vec()),
        (
            KexFamily::GroupExchange,
            drawn![pool:
                KexDhGexRequestOld { n },
                KexDhGexRequest { min n max },
                KexDhGexGroup { p g },
                KexDhGexInit { e },
                KexDhGexReply { host_key f signature },
            ]
            .to_vec(),
        ),
        (KexFamily::Gss, gss.to_vec()),
        (KexFamily::GssGroupExchange, gss.to_vec()),
        (
            KexFamily::GssGroupExchange,
            drawn![pool: KexGssGroupReq { min n max }, KexGssGroup { p g }].to_vec(),
        ),
    ];
    let in_context = |(family, messages): (_, Vec<_>)| {
        messages.into_iter().map(move |message| (Context { kex: Some(family), auth: None }, message))
    };
    families.into_iter().flat_map(in_context).collect()
}

fn userauth(pool: &Pool) -> Vec<Message<'_>> {
    use UserauthMethod as Method;
    let methods = [
        Method::None,
        Method::Password { password: pool.draw() },
        Method::PasswordChange { old: pool.draw(), new: pool.draw() },
        Method::PublicKeyQuery { algorithm: pool.draw(), key: pool.draw() },
        Method::PublicKey { algorithm: pool.draw(), key: pool.draw(), signature: pool.draw() },
        Method::KeyboardInteractive { language: pool.draw(), submethods: pool.draw() },
        Method::HostBased {
            algorithm: pool.draw(),
            key: pool.draw(),
            host: pool.draw(),
            local_user: pool.draw(),
            signature: pool.draw(),
        },
        Method::GssapiWithMic { mechanisms: pool.draw() },
        Method::GssapiKeyex { mic: pool.draw() },
        Method::Other { name: "unheard-of@example.com", data: pool.draw() },
    ];
    let request = |method| UserauthRequest { user: pool.draw(), service: pool.draw(), method };
    let others = drawn![pool:
        UserauthFailure { methods partial_success },
        UserauthSuccess,
        UserauthBanner { message language },
    ];
    methods.into_iter().map(|method| request(method).into()).chain(others).collect()
}

fn auth_methods(pool: &Pool) -> Vec<Sample<'_>> {
    let methods = [
        (AuthMethod::PublicKey, drawn![pool: UserauthPkOk { algorithm key }].to_vec()),
        (AuthMethod::Password, drawn![pool: UserauthPasswdChangereq { prompt language }].to_vec()),
        (
            AuthMethod::KeyboardInteractive,
            drawn![pool:
                UserauthInfoRequest { name instruction language prompts },
                UserauthInfoResponse { responses },
            ]
            .to_vec(),
        ),
        (
            AuthMethod::GssapiWithMic,
            drawn![pool:
                UserauthGssapiResponse { mechanism },
                UserauthGssapiToken { token },
                UserauthGssapiExchangeComplete,
                UserauthGssapiError { major minor message language },
                UserauthGssapiErrtok { token },
                UserauthGssapiMic { mic },
            ]
            .to_vec(),
        ),
    ];
    let in_context = |(method, messages): (_, Vec<_>)| {
        messages.into_iter().map(move |message| (Context { kex: None, auth: Some(method) }, message))
    };
    methods.into_iter().flat_map(in_context).collect()
}

fn connection(pool: &Pool) -> Vec<Message<'_>> {
    let plain = drawn![pool:
        RequestSuccess { data },
        RequestFailure,
        ChannelOpenConfirmation { recipient sender window max_packet data },
        ChannelOpenFailure { recipient reason description language },
        ChannelWindowAdjust { recipient bytes },
        ChannelData { recipient data },
        ChannelExtendedData { recipient code data },
        ChannelEof { recipient },
        ChannelClose { recipient },
        ChannelRequest { recipient name want_reply data },
        ChannelSuccess { recipient },
        ChannelFailure { recipient },
    ];
    global_requests(pool).into_iter().chain(channel_opens(pool)).chain(plain).collect()
}

fn global_requests(pool: &Pool) -> Vec<Message<'_>> {
    use GlobalRequestData as Data;
    let known = [
        Data::TcpipForward { address: pool.draw(), port: pool.draw() },
        Data::CancelTcpipForward { address: pool.draw(), port: pool.draw() },
        Data::StreamlocalForward { path: pool.draw() },
        Data::CancelStreamlocalForward { path: pool.draw() },
        Data::Keepalive,
        Data::HostKeys { keys: pool.draw() },
        Data::NoMoreSessions,
    ];
    let other = GlobalRequest {
        name: "unheard-of@example.com",
        want_reply: pool.draw(),
        data: Data::Other { data: pool.draw() },
    };
    let known = known.into_iter().map(|data| GlobalRequest::new(pool.draw(), data));
    known.chain([other]).map(Message::from).collect()
}

fn channel_opens(pool: &Pool) -> Vec<Message<'_>> {
    use ChannelKind as Kind;
    let kinds = [
        Kind::DirectTcpip {
            host: pool.draw(),
            port: pool.draw(),
            originator: pool.draw(),
            originator_port: pool.draw(),
        },
        Kind::ForwardedTcpip {
            address: pool.draw(),
            port: pool.draw(),
            originator: pool.draw(),
            originator_port: pool.draw(),
        },
        Kind::DirectStreamlocal { path: pool.draw() },
        Kind::ForwardedStreamlocal { path: pool.draw() },
        Kind::Session,
        Kind::Other { name: "unheard-of@example.com", data: pool.draw() },
    ];
    let open = |kind| ChannelOpen { sender: pool.draw(), window: pool.draw(), max_packet: pool.draw(), kind };
    kinds.into_iter().map(|kind| open(kind).into()).collect()
}

/// Every combination of kex family and authentication method.
pub(crate) fn contexts() -> Vec<Context> {
    let families = || std::iter::once(None).chain(KexFamily::ALL.map(Some));
    let methods = || std::iter::once(None).chain(AuthMethod::ALL.map(Some));
    families().flat_map(|kex| methods().map(move |auth| Context { kex, auth })).collect()
}

pub(crate) fn encoded(message: &impl Encode) -> Vec<u8> {
    let mut payload = Vec::new();
    message.encode(&mut payload);
    payload
}
