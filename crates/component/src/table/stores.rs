//! Where keys and certificates come from, and how one is named.

use crate::model::{Encoding, Holds, Platform, Platforms, StoreType, SubjectField};

/// Values of `ssh_cert_store_type`.
pub const STORE_TYPES: &[StoreType] = &[
    store(0, "cstUser", Holds::SystemStore, "certificates of the current user, on Windows"),
    store(1, "cstMachine", Holds::SystemStore, "certificates of the machine, on Windows"),
    store(2, "cstPFXFile", Holds::File, "PKCS#12 (PFX)"),
    store(3, "cstPFXBlob", Holds::Blob(Encoding::BinaryOrBase64), "PKCS#12 (PFX)"),
    store(4, "cstJKSFile", Holds::File, "a Java key store"),
    store(5, "cstJKSBlob", Holds::Blob(Encoding::BinaryOrBase64), "a Java key store"),
    store(6, "cstPEMKeyFile", Holds::File, "a private key in PEM, and perhaps its certificate"),
    store(
        7,
        "cstPEMKeyBlob",
        Holds::Blob(Encoding::BinaryOrBase64),
        "a private key, and perhaps its certificate",
    ),
    store(8, "cstPublicKeyFile", Holds::File, "a certificate in PEM or DER"),
    store(9, "cstPublicKeyBlob", Holds::Blob(Encoding::BinaryOrBase64), "a certificate in PEM or DER"),
    store(10, "cstSSHPublicKeyBlob", Holds::Blob(Encoding::BinaryOrBase64), "a public key as SSH writes it"),
    store(11, "cstP7BFile", Holds::File, "certificates in PKCS#7"),
    store(12, "cstP7BBlob", Holds::Blob(Encoding::Binary), "certificates in PKCS#7"),
    store(13, "cstSSHPublicKeyFile", Holds::File, "a public key as SSH writes it"),
    store(14, "cstPPKFile", Holds::File, "a private key of PuTTY"),
    store(15, "cstPPKBlob", Holds::Blob(Encoding::Binary), "a private key of PuTTY"),
    store(16, "cstXMLFile", Holds::File, "a key or certificate in XML"),
    store(17, "cstXMLBlob", Holds::Blob(Encoding::NotStated), "a key or certificate in XML, as text"),
    store(18, "cstJWKFile", Holds::File, "a JSON Web Key"),
    store(19, "cstJWKBlob", Holds::Blob(Encoding::NotStated), "a JSON Web Key, as text"),
    store(21, "cstBCFKSFile", Holds::File, "a key store of Bouncy Castle"),
    store(22, "cstBCFKSBlob", Holds::Blob(Encoding::BinaryOrBase64), "a key store of Bouncy Castle"),
    store(
        23,
        "cstPKCS11",
        Holds::Blob(Encoding::NotStated),
        "what finds a key on a PKCS#11 token, whose PIN is the password",
    ),
    store(99, "cstAuto", Holds::Anything, "any of these, told by its content"),
];

/// Fields of a subject, in `ssh_cert_subject`.
pub const SUBJECT_FIELDS: &[SubjectField] = &[
    SubjectField { name: "CN", doc: "common name, often a host" },
    SubjectField { name: "O", doc: "organisation" },
    SubjectField { name: "OU", doc: "unit of the organisation" },
    SubjectField { name: "L", doc: "place" },
    SubjectField { name: "S", doc: "state or province" },
    SubjectField { name: "C", doc: "country" },
    SubjectField { name: "E", doc: "address for mail" },
];

const fn store(number: i64, token: &'static str, holds: Holds, doc: &'static str) -> StoreType {
    let platforms = match holds {
        Holds::SystemStore => Platforms::Only(Platform::Windows),
        _ => Platforms::All,
    };
    StoreType { number, token, holds, platforms, doc }
}
