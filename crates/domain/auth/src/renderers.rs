use crate::TokenHash;
use artdag_kernel::{Instant, ServerUrl, StoreError, Username};
use async_trait::async_trait;

/// A user's connection to a renderer (an L1 server).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Whose.
    pub username: Username,
    /// To which renderer.
    pub l1_server: ServerUrl,
    /// Since when.
    pub attached_at: Instant,
}

/// Reads attachments.
#[async_trait]
pub trait AttachmentReads: Send {
    /// A user's attachments, oldest first.
    async fn list_attachments(&mut self, username: &Username) -> Result<Vec<Attachment>, StoreError>;
}

/// Keeps attachments and the scoped tokens that were made for them.
#[async_trait]
pub trait AttachmentRepository: AttachmentReads {
    /// Makes whoever else locks this user's attachments wait for the end of this unit of work, and this one for theirs.
    /// What is read after it is what they left.
    async fn lock_attachments(&mut self, username: &Username) -> Result<(), StoreError>;

    /// Records an attachment. One that is there already keeps its time.
    async fn attach(&mut self, attachment: &Attachment) -> Result<(), StoreError>;

    /// Remembers that a token bound to this renderer was made, so that it can be revoked without being shown
    /// again.
    async fn add_scoped_token(
        &mut self,
        token: &TokenHash,
        attachment: &Attachment,
        expires_at: Instant,
    ) -> Result<(), StoreError>;

    /// Forgets a user's attachment to one renderer, or to all for `None`, and revokes every scoped token that
    /// was made for it. Answers the attachments that were there, oldest first.
    async fn detach(
        &mut self,
        username: &Username,
        l1_server: Option<&ServerUrl>,
        now: Instant,
    ) -> Result<Vec<Attachment>, StoreError>;
}
