//! Whether a server's key is to be trusted. Whatever cannot be decided is refused.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use underpass_crypto::certificate::{Certificate, is_certificate};
use underpass_crypto::x509::{Chain, Roots, X509Error, is_x509};
use underpass_crypto::{fingerprint, key_type};
use underpass_wire::Untrusted;

use crate::algorithms::OnRecord;
use crate::known_hosts::{self, KnownHosts, Location, MAX_FILE_LEN, Refusal, Verdict, store};
use crate::{
    CertificateNames, Error, ErrorKind, Event, HostKeyJudge, HostKeyLocation, HostKeyPolicy, HostKeyQuestion,
    HostKeyVerdict, Settings, ShownHostKey,
};

/// What is to happen with a key.
pub(crate) enum Decision {
    Accept(HostKeyVerdict),
    Refuse(Error),
    /// It is new: the prompter decides first if it is to be asked, then it is put on record.
    New {
        /// Without a certificate.
        key: Vec<u8>,
        ask: bool,
    },
    /// The program judges.
    Program(HostKeyJudge, Box<ShownHostKey>),
}

/// Who is trusted, by the files.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) hosts: KnownHosts,
    /// Authorities of X.509 certificates.
    roots: Roots,
}

/// Reads the files that say who is trusted, if they have a say. Blocks on the disk.
pub(crate) fn read_record(settings: &Settings) -> Result<Record, Error> {
    if settings.host_key_judge.is_some() {
        return Ok(Record::default());
    }
    Ok(Record { hosts: read_known_hosts(settings)?, roots: read_roots(settings)? })
}

fn read_roots(settings: &Settings) -> Result<Roots, Error> {
    let mut roots = Roots::default();
    for path in &settings.ca_certificates {
        let problem = |problem: String| {
            Error::configuration(format!("the CA certificates in {}: {problem}", path.display()))
                .with_advice("name a file of X.509 certificates, as PEM blocks or one as DER")
        };
        let file = read(path, MAX_ROOTS_LEN).map_err(|error| problem(error.to_string()))?;
        if file.len() > MAX_ROOTS_LEN {
            return Err(problem(format!("it is longer than {MAX_ROOTS_LEN} bytes")));
        }
        roots.add(&file).map_err(|error| match error {
            X509Error::Malformed => problem("it holds none, or one that is malformed".to_owned()),
            error => problem(error.to_string()),
        })?;
    }
    Ok(roots)
}

fn read_known_hosts(settings: &Settings) -> Result<KnownHosts, Error> {
    let mut hosts = KnownHosts::default();
    for path in settings.user_known_hosts.iter().chain(&settings.global_known_hosts) {
        match read(path, MAX_FILE_LEN) {
            Ok(text) => hosts.extend(KnownHosts::parse(text, &path.display().to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // What the file revokes would not be known.
            Err(error) => {
                let problem = format!("{} cannot be read: {error}", path.display());
                return Err(
                    Error::configuration(problem).with_advice("make the file readable, or name another")
                );
            }
        }
    }
    for warning in hosts.warnings() {
        settings.tell(|| Event::Detail { level: 1, text: format!("known hosts: {warning}") });
    }
    Ok(hosts)
}

/// Judges a key, or one with a certificate, by the record and the policy, unless the program does. `algorithm` is what
/// the server has signed with.
pub(crate) fn judge(settings: &Settings, record: &Record, key: &[u8], algorithm: &str) -> Decision {
    if let Some(judge) = &settings.host_key_judge {
        return match ShownHostKey::new(settings, key, algorithm) {
            Ok(shown) => Decision::Program(judge.clone(), Box::new(shown)),
            Err(error) => Decision::Refuse(error),
        };
    }
    if settings.host_key_policy == HostKeyPolicy::DangerouslyAcceptAny {
        return Decision::Accept(HostKeyVerdict::Unchecked);
    }
    if is_x509(key) {
        return judge_x509(settings, record, key);
    }
    match key_type(key).is_some_and(is_certificate) {
        true => judge_certificate(settings, &record.hosts, key),
        false => judge_plain(settings, &record.hosts, key),
    }
}

/// Judges an X.509 certificate. Where no roots are named it proves nothing, and its key is judged like any other. Where
/// there are some, the key counts only if it is on record.
fn judge_x509(settings: &Settings, record: &Record, blob: &[u8]) -> Decision {
    let host = name_on_record(settings);
    let chain = match Chain::parse(blob) {
        Ok(chain) => chain,
        Err(problem) => return Decision::Refuse(Error::host_certificate(host, problem.to_string())),
    };
    if record.roots.is_empty() {
        return judge_plain(settings, &record.hosts, chain.key());
    }
    let problem = match chain.check_host(host, seconds_since_1970(), &record.roots) {
        Ok(authorities) => return judge_path(settings, &record.hosts, chain.key(), &authorities),
        Err(problem) => problem,
    };
    match judge_plain(settings, &record.hosts, chain.key()) {
        Decision::Accept(verdict) => Decision::Accept(verdict),
        Decision::Refuse(error) if matches!(error.kind(), ErrorKind::HostKeyRevoked { .. }) => {
            Decision::Refuse(error)
        }
        // Nobody is asked to trust what the roots should have vouched for.
        _ => {
            let CertificateNames { subject, issuer } = names(&chain);
            let (subject, issuer) = (Untrusted(subject.as_bytes()), Untrusted(issuer.as_bytes()));
            let words = format!("{problem} (subject: {subject}; issuer: {issuer})");
            Decision::Refuse(Error::host_certificate(host, words).with_advice(problem.advice()))
        }
    }
}

/// What the record revokes is revoked, whoever vouches for it, and so is everybody that it vouches for.
fn judge_path(settings: &Settings, hosts: &KnownHosts, key: &[u8], authorities: &[Vec<u8>]) -> Decision {
    let (host, port) = (name_on_record(settings), port_on_record(settings));
    for authority in authorities.iter().map(Vec::as_slice).chain([key]) {
        match hosts.check_certificate(host, port, key, authority) {
            Verdict::Revoked { at } => return Decision::Refuse(revoked(settings, key, &at)),
            Verdict::Refused(refusal) => return Decision::Refuse(undecided(&refusal)),
            _ => {}
        }
    }
    Decision::Accept(HostKeyVerdict::Certified)
}

/// Judges a certificate. As with OpenSSH, the key in one that proves nothing is judged like any other key.
fn judge_certificate(settings: &Settings, hosts: &KnownHosts, blob: &[u8]) -> Decision {
    let host = name_on_record(settings);
    let certificate = match Certificate::parse(blob) {
        Ok(certificate) => certificate,
        Err(problem) => return Decision::Refuse(Error::host_certificate(host, problem.to_string())),
    };
    let (key, authority) = (certificate.key(), certificate.authority());
    let problem = match hosts.check_certificate(host, port_on_record(settings), key, authority) {
        Verdict::CertAuthority { .. } => match certificate.check_host(host, seconds_since_1970()) {
            Ok(()) => return Decision::Accept(HostKeyVerdict::Certified),
            Err(problem) => problem.to_string(),
        },
        Verdict::Revoked { at } => return Decision::Refuse(revoked(settings, key, &at)),
        Verdict::Refused(refusal) => return Decision::Refuse(undecided(&refusal)),
        _ => return judge_plain(settings, hosts, key),
    };
    match judge_plain(settings, hosts, key) {
        Decision::Accept(verdict) => Decision::Accept(verdict),
        // Nobody is asked to trust what an authority on record should have vouched for.
        _ => Decision::Refuse(Error::host_certificate(host, problem)),
    }
}

fn judge_plain(settings: &Settings, hosts: &KnownHosts, key: &[u8]) -> Decision {
    let host = name_on_record(settings);
    let kind = key_type(key).unwrap_or_default();
    let fingerprint = fingerprint(key, settings.fingerprint_hash);
    match hosts.check(host, port_on_record(settings), None, key) {
        Verdict::Match { .. } => Decision::Accept(HostKeyVerdict::Known),
        Verdict::Changed { known } => {
            let recorded = known.first().map(|known| location(&known.at));
            Decision::Refuse(Error::host_key_changed(host, kind, &fingerprint, recorded))
        }
        Verdict::Revoked { at } => Decision::Refuse(revoked(settings, key, &at)),
        Verdict::Refused(refusal) => Decision::Refuse(undecided(&refusal)),
        Verdict::Unknown | Verdict::CertAuthority { .. } => match settings.host_key_policy {
            HostKeyPolicy::AcceptNew => Decision::New { key: key.to_owned(), ask: false },
            HostKeyPolicy::Ask if !settings.batch => Decision::New { key: key.to_owned(), ask: true },
            _ => Decision::Refuse(unknown(settings, key)),
        },
    }
}

/// Asks about a new key if need be, and puts it on record. Blocks on the person and the disk. `names` are those of the
/// certificate that it came with.
pub(crate) fn accept_new(
    settings: &Settings,
    key: &[u8],
    names: Option<CertificateNames>,
    ask: bool,
) -> Result<HostKeyVerdict, Error> {
    let question = HostKeyQuestion {
        host: name_on_record(settings).to_owned(),
        key_type: key_type(key).unwrap_or_default().to_owned(),
        fingerprint: fingerprint(key, settings.fingerprint_hash),
        key: key.to_vec(),
        certificate: names,
    };
    if ask && !settings.prompter().accept_host_key(&question) {
        return Err(unknown(settings, key));
    }
    let Some(path) = settings.user_known_hosts.first() else {
        return Ok(HostKeyVerdict::Added);
    };
    let line = known_hosts::append_line(&question.host, port_on_record(settings), key, None)
        .map_err(|refusal| undecided(&refusal))?;
    // Not fatal: the key was accepted, and will be asked about again.
    if let Err(error) = store::append(path, &line) {
        settings
            .tell(|| Event::Warning { text: format!("cannot add the key to {}: {error}", path.display()) });
    }
    Ok(HostKeyVerdict::Added)
}

/// What people see of a key: of the key itself, where a certificate came with it.
pub(crate) fn fingerprint_of(settings: &Settings, key: &[u8]) -> String {
    let show = |key: &[u8]| fingerprint(key, settings.fingerprint_hash);
    match (Chain::parse(key), Certificate::parse(key)) {
        (Ok(chain), _) => show(chain.key()),
        (_, Ok(certificate)) => show(certificate.key()),
        _ => show(key),
    }
}

/// Whom the X.509 certificate is about, and who made it, if the key came with one.
pub(crate) fn names_of(key: &[u8]) -> Option<CertificateNames> {
    Chain::parse(key).ok().map(|chain| names(&chain))
}

fn names(chain: &Chain<'_>) -> CertificateNames {
    CertificateNames { subject: chain.holder().subject(), issuer: chain.holder().issuer() }
}

/// Certificates are good for a time.
pub(crate) fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// What the files know of the server, before it shows anything.
pub(crate) fn on_record(settings: &Settings, record: &Record) -> OnRecord {
    let (name, port) = (name_on_record(settings), port_on_record(settings));
    OnRecord {
        key_types: record.hosts.key_types_for(name, port),
        authority: record.hosts.has_authority_for(name, port),
        roots: !record.roots.is_empty(),
    }
}

/// The name under which the server's key is looked up.
pub(crate) fn name_on_record(settings: &Settings) -> &str {
    settings.host_key_alias.as_deref().unwrap_or(&settings.host)
}

/// An alias stands for the server whatever its port, as OpenSSH has it.
pub(crate) fn port_on_record(settings: &Settings) -> u16 {
    if settings.host_key_alias.is_some() { 22 } else { settings.port }
}

fn unknown(settings: &Settings, key: &[u8]) -> Error {
    let files: Vec<PathBuf> =
        settings.user_known_hosts.iter().chain(&settings.global_known_hosts).cloned().collect();
    let kind = key_type(key).unwrap_or_default();
    let fingerprint = fingerprint(key, settings.fingerprint_hash);
    Error::host_key_unknown(name_on_record(settings), kind, &fingerprint, files)
}

fn revoked(settings: &Settings, key: &[u8], at: &Location) -> Error {
    let (kind, fingerprint) =
        (key_type(key).unwrap_or_default(), fingerprint(key, settings.fingerprint_hash));
    Error::host_key_revoked(name_on_record(settings), kind, &fingerprint, Some(location(at)))
}

fn undecided(refusal: &Refusal) -> Error {
    Error::configuration(format!("the host key cannot be checked: {refusal}"))
}

fn location(at: &Location) -> HostKeyLocation {
    HostKeyLocation { file: PathBuf::from(&*at.source), line: at.line }
}

/// Reads a little more than what is accepted, so that too large a file is noticed and not read whole.
fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(most as u64 + 1).read_to_end(&mut text)?;
    Ok(text)
}

/// The longest file of CA certificates, in bytes. Those of operating systems have 200 KiB.
const MAX_ROOTS_LEN: usize = 4 * 1024 * 1024;
