use crate::cli::UsersCommand;
use crate::settings::Settings;
use crate::wiring::{self, StartError};
use artdag_auth::Password;
use artdag_registry::NewUser;
use std::io::BufRead;

/// `artdag-l2 users ..`
pub(crate) async fn users(settings: &Settings, command: UsersCommand) -> Result<(), StartError> {
    match command {
        UsersCommand::Create { name } => {
            let username = name.parse().map_err(|error| format!("the username {error}"))?;
            let mut line = String::new();
            if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
                println!("Password for {username} (it will be seen while you type; or pipe it in):");
            }
            std::io::stdin().lock().read_line(&mut line)?;
            let password = line.trim_end_matches(['\r', '\n']).to_owned();
            let password = Password::new(password).map_err(|error| format!("the password {error}"))?;
            let registry = wiring::build(settings).await?;
            let new = NewUser { username, password, display_name: None, email: None, invite: None };
            let session = registry.add_user(new).await?;
            println!("Made the account {}.", registry.site().handle(&session.username));
        }
        UsersCommand::Invite => {
            let code = wiring::build(settings).await?.invite().await?;
            println!("{}", code.reveal());
        }
    }
    Ok(())
}
