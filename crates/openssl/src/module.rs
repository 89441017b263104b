//! Finding and loading the library, once for each mode.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use underpass_crypto::Provider;

use crate::error::{Cause, Error};
use crate::ffi::{Api, Context, Md};
use crate::{Mode, values};

/// A part of the library, ready for use.
pub(crate) struct Module {
    pub(crate) context: Context,
    pub(crate) version: String,
    pub(crate) provider: Provider,
}

/// A [`Mode`] as a type. Algorithms are functions without state, so that which module they use is in their type.
pub(crate) trait Chosen: Send + Sync + 'static {
    const MODE: Mode;

    fn slot() -> &'static OnceLock<Module>;

    fn context() -> &'static Context {
        let module = Self::slot().get().expect("a value comes from a provider, which comes from a module");
        &module.context
    }
}

/// [`Mode::System`].
pub(crate) struct System;

/// [`Mode::Fips`].
pub(crate) struct Fips;

impl Chosen for System {
    const MODE: Mode = Mode::System;

    fn slot() -> &'static OnceLock<Module> {
        static SLOT: OnceLock<Module> = OnceLock::new();
        &SLOT
    }
}

impl Chosen for Fips {
    const MODE: Mode = Mode::Fips;

    fn slot() -> &'static OnceLock<Module> {
        static SLOT: OnceLock<Module> = OnceLock::new();
        &SLOT
    }
}

/// Gives the module, which stays until the end. After a failure, it is tried again.
pub(crate) fn load<M: Chosen>() -> Result<&'static Module, Error> {
    /// One at a time: loading configures.
    static LOADING: Mutex<()> = Mutex::new(());
    if let Some(module) = M::slot().get() {
        return Ok(module);
    }
    let _alone = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = M::slot().get() {
        return Ok(module);
    }
    let api = Api::load(NAMES).map_err(|problem| Error::new(Cause::LibraryMissing, problem))?;
    let context = Context::new(api).map_err(|words| Error::new(Cause::Broken, words))?;
    let version = match M::MODE {
        Mode::System => system(api, &context),
        Mode::Fips => fips(api, &context),
    }?;
    let provider = values::provider::<M>(&context);
    Ok(M::slot().get_or_init(|| Module { context, version, provider }))
}

fn system(api: &'static Api, context: &Context) -> Result<String, Error> {
    context.load_provider(c"default").map_err(|words| Error::new(Cause::Broken, words))?;
    Ok(api.version())
}

/// The FIPS provider tests itself while it is loaded, against what the configuration says of it.
fn fips(api: &'static Api, context: &Context) -> Result<String, Error> {
    // Distributions that are in FIPS mode as a whole need none.
    if let Some(file) = api.configuration_file().filter(|file| Path::new(file).is_file()) {
        let invalid = |words| Error::new(Cause::Configuration, format!("{file}: {words}"));
        context.configure(&file).map_err(invalid)?;
    }
    let missing = |words: String| Error::new(Cause::FipsMissing, words);
    let name = context.load_provider(c"fips").map_err(missing)?;
    // What has no cryptography in it, such as the formats of keys.
    context.load_provider(c"base").map_err(missing)?;
    context.demand_fips().map_err(missing)?;
    let proof = context.fetch::<Md>(c"SHA2-256").map(|hash| hash.provider());
    match proof.as_deref() {
        Some("fips") => Ok(format!("{}; {name}", api.version())),
        _ => Err(missing(format!("{name} gives no approved SHA-256"))),
    }
}

/// What the library's file is called. Windows' and Apple's systems have none of their own: there it is somebody's package.
const NAMES: &[&str] = if cfg!(windows) {
    &["libcrypto-3-x64.dll", "libcrypto-3-arm64.dll", "libcrypto-3.dll"]
} else if cfg!(target_vendor = "apple") {
    &[
        "libcrypto.3.dylib",
        "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
        "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
        "/opt/local/libexec/openssl3/lib/libcrypto.3.dylib",
    ]
} else {
    &["libcrypto.so.3"]
};
