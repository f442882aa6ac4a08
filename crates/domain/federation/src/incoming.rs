use crate::reading::{NotADocument, items, parse_document, reference, references, text, the_reference};
use crate::remote_actor::{is_actor, is_public};
use crate::remote_object::is_tombstone;
use crate::{Iri, NotTheirs, RemoteObject, Site};
use artdag_kernel::{ActivityId, ContentHash, Username};
use serde_json::{Map, Value};

/// An activity that somebody sent. Nothing in it is believed yet: who sent it is what a signature must show.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// Its id.
    pub id: Iri,
    /// Who is said to have done it.
    pub actor: Iri,
    /// The first of its types.
    pub kind: String,
    /// The whole document.
    pub document: Map<String, Value>,
}

/// Why an activity is refused, whoever signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InboxFault {
    /// No document at all.
    #[error(transparent)]
    Document(#[from] NotADocument),
    /// Without an id it could not be told from its copies.
    #[error("the activity has no id that is an http(s) URL")]
    NoId,
    /// Nobody did it, or several.
    #[error("the activity does not name one actor")]
    NoActor,
    /// It has no type.
    #[error("the activity has no type")]
    NoType,
    /// Its id belongs to another origin than its actor.
    #[error("the activity's id is of another origin than its actor's")]
    ForeignId,
    /// It speaks in the name of somebody here.
    #[error("the activity's actor is of this server")]
    OwnName,
    /// Its object is not the actor's.
    #[error(transparent)]
    Object(#[from] NotTheirs),
    /// What it undoes was done by somebody else.
    #[error("the activity undoes what another actor did")]
    ForeignUndo,
}

/// What an activity asks for, once its signature is known to be good.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// The actor wants to follow somebody here.
    Follow(Username),
    /// The actor no longer follows somebody here.
    Unfollow(Username),
    /// The actor lets somebody here follow. Names the request, if it says which.
    Accepted(Option<ActivityId>, Option<Username>),
    /// The actor does not, or no longer, let somebody here follow.
    Rejected(Option<ActivityId>, Option<Username>),
    /// The actor published or changed an object.
    Published(Box<RemoteObject>),
    /// The actor withdrew an object.
    Withdrew(Iri),
    /// The actor itself is gone.
    Left,
    /// The actor's own document changed.
    ChangedProfile,
    /// The actor likes something, or shows it to its followers.
    Reacted(Reaction, Target),
    /// The actor takes back what the activity of that id said.
    Undid(Iri),
    /// For the operator to know: `Block`, `Flag` or `Move`.
    Notice(Iri),
    /// Nothing that concerns this server.
    Nothing,
}

/// A way to point at something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reaction {
    /// `Like`
    Like,
    /// `Announce`
    Announce,
}

/// What somebody points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Content that is registered here.
    Local(ContentHash),
    /// An activity that was published here.
    LocalActivity(ActivityId),
    /// Something elsewhere.
    Remote(Iri),
}

impl Reaction {
    /// The ActivityStreams type.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Like => "Like",
            Self::Announce => "Announce",
        }
    }
}

impl Incoming {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// [`InboxFault`].
    pub fn parse(bytes: &[u8]) -> Result<Self, InboxFault> {
        let document = parse_document(bytes)?;
        let id = document.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok()).ok_or(InboxFault::NoId)?;
        let actor = the_reference(&document, "actor").ok_or(InboxFault::NoActor)?;
        let kind = text(&document, "type").filter(|kind| !kind.is_empty()).ok_or(InboxFault::NoType)?;
        let kind = kind.chars().filter(|c| !c.is_control()).take(64).collect();
        let incoming = Self { id, actor, kind, document };
        if !incoming.id.is_beside(&incoming.actor) {
            return Err(InboxFault::ForeignId);
        }
        Ok(incoming)
    }

    /// Whether it says that its own actor is no more. Of actors that nobody here knows there is nothing to forget, so
    /// such an activity need not be verified, which nobody could.
    pub fn is_farewell(&self) -> bool {
        self.kind == "Delete" && the_reference(&self.document, "object").is_some_and(|object| object == self.actor)
    }

    /// What it asks for. `actor` is the one who was shown to have signed it.
    ///
    /// # Errors
    /// [`InboxFault`] when the actor may not ask for that.
    pub fn meaning(&self, site: &Site) -> Result<Meaning, InboxFault> {
        if site.owns(&self.actor) {
            return Err(InboxFault::OwnName);
        }
        let object = the_reference(&self.document, "object");
        let embedded = items(self.document.get("object")).iter().find_map(Value::as_object);
        Ok(match self.kind.as_str() {
            "Follow" => object.and_then(|object| site.local_actor(&object)).map_or(Meaning::Nothing, Meaning::Follow),
            "Accept" => {
                let (id, who) = self.our_follow(site, object.as_ref(), embedded);
                Meaning::Accepted(id, who)
            }
            "Reject" => {
                let (id, who) = self.our_follow(site, object.as_ref(), embedded);
                Meaning::Rejected(id, who)
            }
            "Create" | "Update" => match embedded {
                Some(actor) if is_actor(actor) => match object {
                    Some(id) if id == self.actor && self.kind == "Update" => Meaning::ChangedProfile,
                    _ => return Err(NotTheirs::Attribution.into()),
                },
                // What was said to some in private is for them, and nobody here asked for a place to keep it.
                Some(object) if is_tombstone(object) || !(is_public(&self.document) || is_public(object)) => {
                    Meaning::Nothing
                }
                Some(object) => Meaning::Published(Box::new(RemoteObject::from_document(&self.actor, object)?)),
                None => Meaning::Nothing,
            },
            "Delete" => match object {
                Some(object) if object == self.actor => Meaning::Left,
                Some(object) if !object.is_beside(&self.actor) => return Err(NotTheirs::ForeignId.into()),
                Some(object) => Meaning::Withdrew(object),
                None => Meaning::Nothing,
            },
            "Like" => react(site, Reaction::Like, object),
            "Announce" => react(site, Reaction::Announce, object),
            "Undo" => self.undone(site, object, embedded)?,
            // A report names an account and its posts.
            "Block" | "Flag" | "Move" => {
                let mut all = references(&self.document, "object").peekable();
                let first = all.peek().cloned();
                all.find(|object| site.owns(object)).or(first).map_or(Meaning::Nothing, Meaning::Notice)
            }
            _ => Meaning::Nothing,
        })
    }

    /// The follow that an answer is about, by the request's id and by who asked.
    fn our_follow(
        &self,
        site: &Site,
        object: Option<&Iri>,
        embedded: Option<&Map<String, Value>>,
    ) -> (Option<ActivityId>, Option<Username>) {
        let follower = embedded.and_then(|follow| the_reference(follow, "actor"));
        (object.and_then(|id| site.local_activity(id)), follower.and_then(|actor| site.local_actor(&actor)))
    }

    fn undone(
        &self,
        site: &Site,
        object: Option<Iri>,
        embedded: Option<&Map<String, Value>>,
    ) -> Result<Meaning, InboxFault> {
        let Some(undone) = object else {
            // Some servers embed what they undo without its id.
            return Ok(embedded.and_then(|follow| unfollow(site, follow)).unwrap_or(Meaning::Nothing));
        };
        if !undone.is_beside(&self.actor) {
            return Err(InboxFault::ForeignUndo);
        }
        let Some(embedded) = embedded else {
            return Ok(Meaning::Undid(undone));
        };
        if the_reference(embedded, "actor").is_some_and(|actor| actor != self.actor) {
            return Err(InboxFault::ForeignUndo);
        }
        Ok(unfollow(site, embedded).unwrap_or(Meaning::Undid(undone)))
    }
}

fn unfollow(site: &Site, undone: &Map<String, Value>) -> Option<Meaning> {
    if text(undone, "type") != Some("Follow") {
        return None;
    }
    let whom = items(undone.get("object")).iter().find_map(reference)?;
    site.local_actor(&whom).map(Meaning::Unfollow)
}

fn react(site: &Site, reaction: Reaction, object: Option<Iri>) -> Meaning {
    let Some(object) = object else {
        return Meaning::Nothing;
    };
    let target = match (site.local_object(&object), site.local_activity(&object)) {
        (Some(hash), _) => Target::Local(hash),
        (None, Some(id)) => Target::LocalActivity(id),
        // An actor, or a page that is not there.
        (None, None) if site.owns(&object) => return Meaning::Nothing,
        (None, None) => Target::Remote(object),
    };
    Meaning::Reacted(reaction, target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn site() -> Site {
        Site::new("https://art.example", "art.example").unwrap()
    }

    fn meaning(document: &Value) -> Result<Meaning, InboxFault> {
        Incoming::parse(document.to_string().as_bytes())?.meaning(&site())
    }

    fn activity(kind: &str, object: Value) -> Value {
        json!({"id": "https://b.example/a/1", "type": kind, "actor": "https://b.example/users/bob", "object": object,
            "to": ["as:Public"]})
    }

    fn giles() -> Username {
        "giles".parse().unwrap()
    }

    #[test]
    fn who_and_what_must_be_named() {
        let whole = activity("Like", json!("https://art.example/users/giles"));
        for (member, value, fault) in [
            ("id", json!(null), InboxFault::NoId),
            ("id", json!(["https://b.example/a/1"]), InboxFault::NoId),
            ("id", json!("b.example"), InboxFault::NoId),
            ("id", json!("https://c.example/a/1"), InboxFault::ForeignId),
            ("actor", json!(null), InboxFault::NoActor),
            ("actor", json!(["https://b.example/users/bob", "https://b.example/users/eve"]), InboxFault::NoActor),
            ("type", json!(7), InboxFault::NoType),
            ("type", json!([]), InboxFault::NoType),
            ("actor", json!("https://art.example/users/giles"), InboxFault::ForeignId),
        ] {
            let mut document = whole.clone();
            document[member] = value.clone();
            assert_eq!(meaning(&document), Err(fault), "{member}: {value}");
        }
        let mut ours = whole;
        ours["actor"] = json!("https://art.example/users/giles");
        ours["id"] = json!("https://art.example/activities/1");
        assert_eq!(meaning(&ours), Err(InboxFault::OwnName));
    }

    #[test]
    fn follows_and_their_ends() {
        let here = json!("https://art.example/users/giles");
        assert_eq!(meaning(&activity("Follow", here.clone())), Ok(Meaning::Follow(giles())));
        assert_eq!(meaning(&activity("Follow", json!({"id": here.clone()}))), Ok(Meaning::Follow(giles())));
        assert_eq!(meaning(&activity("Follow", json!("https://art.example/users/../x"))), Ok(Meaning::Nothing));
        let follow = json!({"id": "https://b.example/f/1", "type": "Follow", "object": here,
            "actor": "https://b.example/users/bob"});
        assert_eq!(meaning(&activity("Undo", follow.clone())), Ok(Meaning::Unfollow(giles())));
        let mut without_id = follow.clone();
        without_id.as_object_mut().unwrap().remove("id");
        assert_eq!(meaning(&activity("Undo", without_id)), Ok(Meaning::Unfollow(giles())));
        let mut by_eve = follow;
        by_eve["actor"] = json!("https://b.example/users/eve");
        assert_eq!(meaning(&activity("Undo", by_eve)), Err(InboxFault::ForeignUndo));
        let bare = json!("https://b.example/f/1");
        assert_eq!(meaning(&activity("Undo", bare)), Ok(Meaning::Undid("https://b.example/f/1".parse().unwrap())));
        assert_eq!(meaning(&activity("Undo", json!("https://c.example/f/1"))), Err(InboxFault::ForeignUndo));
    }

    #[test]
    fn answers_to_our_own_follows() {
        let id: ActivityId = "01990000-0000-7000-8000-000000000000".parse().unwrap();
        let follow = format!("https://art.example/activities/{id}");
        assert_eq!(meaning(&activity("Accept", json!(follow))), Ok(Meaning::Accepted(Some(id), None)));
        let embedded = json!({"id": follow, "type": "Follow", "actor": "https://art.example/users/giles"});
        assert_eq!(meaning(&activity("Reject", embedded)), Ok(Meaning::Rejected(Some(id), Some(giles()))));
        assert_eq!(meaning(&activity("Accept", json!(null))), Ok(Meaning::Accepted(None, None)));
    }

    #[test]
    fn only_the_actors_own_objects() {
        let note =
            json!({"id": "https://b.example/n/1", "type": "Note", "attributedTo": "https://b.example/users/bob"});
        assert!(matches!(meaning(&activity("Create", note.clone())), Ok(Meaning::Published(_))));
        let mut private = activity("Create", note.clone());
        private["to"] = json!("https://b.example/users/eve");
        assert_eq!(meaning(&private), Ok(Meaning::Nothing));
        let mut stolen = note;
        stolen["attributedTo"] = json!("https://b.example/users/eve");
        assert_eq!(meaning(&activity("Update", stolen)), Err(InboxFault::Object(NotTheirs::Attribution)));
        let mut foreign = activity("Create", json!({"id": "https://c.example/n/1", "type": "Note"}));
        assert_eq!(meaning(&foreign), Err(InboxFault::Object(NotTheirs::ForeignId)));
        foreign["type"] = json!("Delete");
        assert_eq!(meaning(&foreign), Err(InboxFault::Object(NotTheirs::ForeignId)));
        let person = json!({"id": "https://b.example/users/eve", "type": "Person", "inbox": "https://b.example/i"});
        assert_eq!(meaning(&activity("Update", person)), Err(InboxFault::Object(NotTheirs::Attribution)));
        let own = json!({"id": "https://b.example/users/bob", "type": ["Person"]});
        assert_eq!(meaning(&activity("Update", own)), Ok(Meaning::ChangedProfile));
        let bob = json!("https://b.example/users/bob");
        assert_eq!(meaning(&activity("Delete", bob)), Ok(Meaning::Left));
    }

    #[test]
    fn points_at_things_here_and_elsewhere() {
        let hash = ContentHash::of(b"x");
        let object = format!("https://art.example/objects/{}", hash.to_bare_hex());
        let liked = meaning(&activity("Like", json!(object)));
        assert_eq!(liked, Ok(Meaning::Reacted(Reaction::Like, Target::Local(hash))));
        let elsewhere: Iri = "https://c.example/o/1".parse().unwrap();
        let shared = meaning(&activity("Announce", json!(elsewhere.as_str())));
        assert_eq!(shared, Ok(Meaning::Reacted(Reaction::Announce, Target::Remote(elsewhere))));
        assert_eq!(meaning(&activity("Like", json!("https://art.example/users/giles"))), Ok(Meaning::Nothing));
        assert_eq!(meaning(&activity("Dance", json!("https://art.example/users/giles"))), Ok(Meaning::Nothing));
    }

    #[test]
    fn a_report_is_about_whoever_lives_here() {
        let here = "https://art.example/users/giles";
        let report = meaning(&activity("Flag", json!(["https://b.example/users/eve", here, "https://b.example/n/1"])));
        assert_eq!(report, Ok(Meaning::Notice(here.parse().unwrap())));
        assert_eq!(meaning(&activity("Flag", json!([]))), Ok(Meaning::Nothing));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_stumble(
            kind in "(Follow|Undo|Create|Update|Delete|Accept|Reject|Like|Announce|Block|[a-z]{0,3})",
            object in arbitrary_json(),
            extra in arbitrary_json(),
        ) {
            let mut document = activity(&kind, object);
            document["to"] = extra.clone();
            _ = meaning(&document);
            document["actor"] = extra;
            _ = meaning(&document);
        }
    }

    fn arbitrary_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,20}".prop_map(Value::from),
            Just(json!("https://b.example/users/bob")),
            Just(json!("https://art.example/users/giles")),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map(
                    "(id|type|actor|object|attributedTo|inbox|content|contentHash|[a-z]{1,4})",
                    inner,
                    0..6
                )
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }
}
