//! Keys of .NET (`RSAKeyValue`, `DSAKeyValue`) and certificates (`X509Certificate`), as W3C's XML Signature writes
//! them (section 4.5), and with the private numbers that .NET adds.

use roxmltree::{Document, Node, ParsingOptions};
use underpass_crypto::algorithms::rsa::RsaNumbers;
use zeroize::Zeroizing;

use crate::{
    Entry, KeyFileError, MAX_ENTRIES, PublicKey, armour,
    certificate::{Certificate, attach},
    der_key,
    private::{Key, Numbers},
    store::Opened,
};

pub(crate) fn open(bytes: &[u8]) -> Result<Opened, KeyFileError> {
    let text = str::from_utf8(bytes).map_err(|_| KeyFileError::Malformed("it is not UTF-8"))?;
    // Without document types there are no entities that could grow.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text.trim_start_matches('\u{feff}').trim_start(), options)
        .map_err(|_| KeyFileError::Malformed("it is not well-formed XML"))?;
    let (mut keys, mut certificates) = (Vec::new(), Vec::new());
    for node in document.descendants().filter(Node::is_element) {
        if keys.len() + certificates.len() >= MAX_ENTRIES {
            return Err(KeyFileError::TooManyEntries);
        }
        match node.tag_name().name() {
            "RSAKeyValue" => keys.push(entry(&Parts(node), "D", rsa, rsa_public)?),
            "DSAKeyValue" => keys.push(entry(&Parts(node), "X", dsa, dsa_public)?),
            "X509Certificate" => certificates.push(Certificate::parse(&base64(node)?)?),
            _ => {}
        }
    }
    Ok(Opened::plain(attach(keys, certificates)))
}

/// A private key where the private number is there, and a public one otherwise.
fn entry(
    parts: &Parts<'_, '_>,
    private: &str,
    key: fn(&Parts<'_, '_>) -> Key,
    public: fn(&Parts<'_, '_>) -> Result<PublicKey, KeyFileError>,
) -> Result<Entry, KeyFileError> {
    if parts.find(private).is_some() {
        return Ok(Entry { public: Some(public(parts)?), ..Entry::of_key(key(parts)) });
    }
    Ok(Entry::of_public(public(parts)?))
}

fn rsa(parts: &Parts<'_, '_>) -> Key {
    let (n, e, d) = (parts.number("Modulus")?, parts.number("Exponent")?, parts.number("D")?);
    let (p, q, iqmp) = (parts.number("P")?, parts.number("Q")?, parts.number("InverseQ")?);
    Numbers::Rsa(RsaNumbers { n: &n, e: &e, d: &d, iqmp: &iqmp, p: &p, q: &q }).signer()
}

fn rsa_public(parts: &Parts<'_, '_>) -> Result<PublicKey, KeyFileError> {
    der_key::rsa_public(&parts.number("Exponent")?, &parts.number("Modulus")?)
}

fn dsa(parts: &Parts<'_, '_>) -> Key {
    let (p, q, g) = (parts.number("P")?, parts.number("Q")?, parts.number("G")?);
    let (y, x) = (parts.number("Y")?, parts.number("X")?);
    Numbers::Dsa { p: &p, q: &q, g: &g, y: Some(&y), x: &x }.signer()
}

fn dsa_public(parts: &Parts<'_, '_>) -> Result<PublicKey, KeyFileError> {
    let (p, q, g) = (parts.number("P")?, parts.number("Q")?, parts.number("G")?);
    der_key::dsa_public(&p, &q, &g, &parts.number("Y")?)
}

/// The elements in a key, whatever their name space.
struct Parts<'a, 'input>(Node<'a, 'input>);

impl<'a, 'input> Parts<'a, 'input> {
    fn find(&self, name: &str) -> Option<Node<'a, 'input>> {
        self.0.children().find(|child| child.tag_name().name() == name)
    }

    fn number(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        base64(self.find(name).ok_or(KeyFileError::Malformed("a number of the key is missing"))?)
    }
}

fn base64(node: Node<'_, '_>) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let text = node.text().unwrap_or_default().as_bytes();
    armour::decode_lines([text], text.len())
        .ok_or(KeyFileError::Malformed("a number of the key is not base64"))
}

/// A key has a dozen elements, and a few more around it.
const MAX_NODES: u32 = 16 * MAX_ENTRIES as u32;
