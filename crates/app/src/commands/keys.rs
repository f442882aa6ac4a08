use crate::cli::{KeysCommand, KeysPlace};
use crate::settings::Settings;
use crate::wiring::{self, StartError};
use artdag_federation::{KeyError, KeyStore, PublicKeys};
use artdag_kernel::Username;
use artdag_signing::HeavyWork;
use std::path::Path;

/// `artdag-l2 keys ..`
pub(crate) async fn keys(mut settings: Settings, command: KeysCommand) -> Result<(), StartError> {
    let (place, made) = match command {
        KeysCommand::Generate { place, force } => {
            let (store, user) = open(&mut settings, &place)?;
            (user.clone(), store.generate(&user, force).await)
        }
        KeysCommand::Import { place, rsa, ed25519, force } => {
            let (store, user) = open(&mut settings, &place)?;
            let rsa = read(&rsa)?;
            let ed25519 = ed25519.as_deref().map(read).transpose()?;
            (user.clone(), store.import(&user, &rsa, ed25519.as_deref(), force).await)
        }
    };
    let keys = made.map_err(|error| match error {
        KeyError::Exists(user) => StartError::from(format!(
            "keys of {user} exist already in {}; --force replaces them and keeps the old ones in keys/retired",
            settings.data.join("keys").display()
        )),
        error => error.into(),
    })?;
    show(&settings, &place, &keys);
    Ok(())
}

fn open(settings: &mut Settings, place: &KeysPlace) -> Result<(artdag_signing::FileKeyStore, Username), StartError> {
    if let Some(directory) = &place.data_dir {
        settings.data.clone_from(directory);
    }
    let user = match &place.user {
        Some(name) => name.parse().map_err(|error| format!("--user: {error}"))?,
        None => settings.user.clone(),
    };
    wiring::make_directory(&settings.data)?;
    Ok((wiring::key_store(settings, HeavyWork::one_per_core()), user))
}

fn read(path: &Path) -> Result<String, StartError> {
    std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()).into())
}

fn show(settings: &Settings, user: &Username, keys: &PublicKeys) {
    let directory = settings.data.join("keys");
    println!("Keys of {user}, in {}:", directory.display());
    println!("  {user}.pem           RSA, private: keep it secret, back it up");
    println!("  {user}.pub           RSA, public");
    println!("  {user}.ed25519.pem   Ed25519, private: keep it secret, back it up");
    println!("  {user}.ed25519.pub   Ed25519, public");
    println!("  as a Multikey: {}", artdag_federation::multikey::encode(&keys.ed25519));
}
