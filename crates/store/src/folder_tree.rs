//! What a change makes of an account's folder tree. Decided here once, for every engine.

use crate::{Error, Folder, FolderChange, FolderId, FolderName, Folders, Result, SpecialUse, UidValidity};

/// The outcome of a [`FolderChange`]; an engine makes all of it durable as one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderEdit {
    pub folders: Folders,
    /// Folders that are new and empty, parents before children.
    pub created: Vec<FolderId>,
    /// The folder that went with its messages.
    pub deleted: Option<FolderId>,
    /// Set when INBOX was renamed: all its messages move into this new folder.
    pub inbox_into: Option<FolderId>,
}

impl Folders {
    /// Folders that one account may hold; of names subscribed to without a folder as many again.
    pub const MAX_FOLDERS: usize = 10_000;

    /// The tree that an account starts with: INBOX and the special-use folders, all subscribed.
    /// `make` gives a new folder its identity, as for [`Self::edit`].
    pub fn initial(mut make: impl FnMut() -> Result<(FolderId, UidValidity)>) -> Result<Self> {
        let mut tree = Self::default();
        tree.insert(FolderName::inbox(), None, &mut make)?;
        for (name, special_use) in SpecialUse::DEFAULT_FOLDERS {
            tree.insert(FolderName::new(name)?, Some(special_use), &mut make)?;
        }
        for folder in &mut tree.folders {
            folder.subscribed = true;
        }
        Ok(tree)
    }

    /// The tree after `change`, or why it stays as it is. `make` is called once for each new folder: a number
    /// never used before in the account, and a UIDVALIDITY above every one the account ever gave (RFC 3501
    /// §6.3.3: a name that comes back must not bring old UIDs back). An outcome equal to `self` needs no record.
    pub fn edit(
        &self,
        change: &FolderChange,
        mut make: impl FnMut() -> Result<(FolderId, UidValidity)>,
    ) -> Result<FolderEdit> {
        let mut edit = FolderEdit { folders: self.clone(), created: Vec::new(), deleted: None, inbox_into: None };
        match change {
            FolderChange::Create { name, special_use } => {
                edit.create(name, *special_use, &mut make)?;
            }
            FolderChange::Rename { from, to } if from.is_inbox() => {
                edit.inbox_into = Some(edit.create(to, None, &mut make)?);
            }
            FolderChange::Rename { from, to } => edit.rename(from, to, &mut make)?,
            FolderChange::Delete { name } => edit.delete(name)?,
            FolderChange::Subscribe { name, subscribed } => edit.folders.subscribe(name, *subscribed)?,
        }
        Ok(edit)
    }

    fn position(&self, name: &FolderName) -> Result<usize, usize> {
        self.folders.binary_search_by(|folder| folder.name.cmp(name))
    }

    fn insert(
        &mut self,
        name: FolderName,
        special_use: Option<SpecialUse>,
        make: &mut impl FnMut() -> Result<(FolderId, UidValidity)>,
    ) -> Result<FolderId> {
        let Err(at) = self.position(&name) else { return Err(Error::Exists("the folder")) };
        if self.folders.len() >= Self::MAX_FOLDERS {
            return Err(Error::Limit(format!("a mailbox holds at most {} folders", Self::MAX_FOLDERS)));
        }
        let subscribed = self.take_subscribed_name(&name);
        let (id, uid_validity) = make()?;
        self.folders.insert(at, Folder { id, name, uid_validity, subscribed, special_use });
        Ok(id)
    }

    /// Whether the name was subscribed to before there was a folder of that name.
    fn take_subscribed_name(&mut self, name: &FolderName) -> bool {
        let found = self.subscribed_names.binary_search(name);
        if let Ok(at) = found {
            self.subscribed_names.remove(at);
        }
        found.is_ok()
    }

    fn subscribe(&mut self, name: &FolderName, subscribed: bool) -> Result<()> {
        if let Ok(at) = self.position(name) {
            if let Some(folder) = self.folders.get_mut(at) {
                folder.subscribed = subscribed;
            }
            return Ok(());
        }
        match (self.subscribed_names.binary_search(name), subscribed) {
            (Err(_), true) if self.subscribed_names.len() >= Self::MAX_FOLDERS => {
                let limit = Self::MAX_FOLDERS;
                return Err(Error::Limit(format!("at most {limit} names without a folder can be subscribed to")));
            }
            (Err(at), true) => self.subscribed_names.insert(at, name.clone()),
            (Ok(at), false) => {
                self.subscribed_names.remove(at);
            }
            (Ok(_), true) | (Err(_), false) => {}
        }
        Ok(())
    }
}

impl FolderEdit {
    fn create(
        &mut self,
        name: &FolderName,
        special_use: Option<SpecialUse>,
        make: &mut impl FnMut() -> Result<(FolderId, UidValidity)>,
    ) -> Result<FolderId> {
        if self.folders.by_name(name).is_some() {
            return Err(Error::Exists("the folder"));
        }
        self.create_parents(name, make)?;
        let id = self.folders.insert(name.clone(), special_use, make)?;
        self.created.push(id);
        Ok(id)
    }

    /// RFC 3501 §6.3.3 and §6.3.5: superior names that are missing are made too.
    fn create_parents(
        &mut self,
        name: &FolderName,
        make: &mut impl FnMut() -> Result<(FolderId, UidValidity)>,
    ) -> Result<()> {
        for parent in name.parents() {
            if self.folders.by_name(&parent).is_none() {
                let id = self.folders.insert(parent, None, make)?;
                self.created.push(id);
            }
        }
        Ok(())
    }

    fn rename(
        &mut self,
        from: &FolderName,
        to: &FolderName,
        make: &mut impl FnMut() -> Result<(FolderId, UidValidity)>,
    ) -> Result<()> {
        if self.folders.by_name(from).is_none() {
            return Err(Error::NotFound("the folder"));
        }
        if self.folders.by_name(to).is_some() {
            return Err(Error::Exists("the folder"));
        }
        if to.is_beneath(from) {
            return Err(Error::Invalid("a folder cannot be moved into itself".into()));
        }
        self.create_parents(to, make)?;
        let mut renamed = Vec::new();
        for folder in &mut self.folders.folders {
            if let Some(name) = folder.name.rebased(from, to)? {
                folder.name = name.clone();
                renamed.push(name);
            }
        }
        self.folders.folders.sort_by(|a, b| a.name.cmp(&b.name));
        for name in renamed {
            let subscribed = self.folders.take_subscribed_name(&name);
            if let Ok(at) = self.folders.position(&name)
                && let Some(folder) = self.folders.folders.get_mut(at)
            {
                folder.subscribed |= subscribed;
            }
        }
        Ok(())
    }

    fn delete(&mut self, name: &FolderName) -> Result<()> {
        if name.is_inbox() {
            // RFC 3501 §6.3.4.
            return Err(Error::Invalid("INBOX cannot be deleted".into()));
        }
        let Ok(at) = self.folders.position(name) else { return Err(Error::NotFound("the folder")) };
        if self.folders.has_children(name) {
            return Err(Error::Invalid("the folder has subfolders; delete them first".into()));
        }
        let folder = self.folders.folders.remove(at);
        self.deleted = Some(folder.id);
        if folder.subscribed {
            // RFC 3501 §6.3.6: a subscription does not go with its folder.
            self.folders.subscribe(name, true)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccountId;

    struct Tree {
        folders: Folders,
        made: u32,
    }

    impl Tree {
        fn new() -> Self {
            let mut tree = Self { folders: Folders::default(), made: 0 };
            tree.folders = Folders::initial(|| Ok(Self::make(&mut tree.made))).unwrap();
            tree
        }

        fn make(made: &mut u32) -> (FolderId, UidValidity) {
            *made += 1;
            (FolderId::new(AccountId(1), *made), UidValidity((*made).try_into().unwrap()))
        }

        fn edit(&mut self, change: FolderChange) -> Result<FolderEdit> {
            let edit = self.folders.edit(&change, || Ok(Self::make(&mut self.made)))?;
            self.folders = edit.folders.clone();
            assert!(self.folders.folders.is_sorted_by(|a, b| a.name < b.name));
            Ok(edit)
        }

        fn create(&mut self, text: &str) -> Result<FolderEdit> {
            self.edit(FolderChange::Create { name: name(text), special_use: None })
        }

        fn rename(&mut self, from: &str, to: &str) -> Result<FolderEdit> {
            self.edit(FolderChange::Rename { from: name(from), to: name(to) })
        }

        fn names(&self) -> Vec<&str> {
            let standard = |text: &&str| !["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"].contains(text);
            self.folders.folders.iter().map(|folder| folder.name.as_str()).filter(standard).collect()
        }
    }

    fn name(text: &str) -> FolderName {
        FolderName::new(text).unwrap()
    }

    #[test]
    fn a_folder_past_the_last_is_refused() {
        let mut tree = Tree::new();
        for n in tree.folders.folders.len()..Folders::MAX_FOLDERS {
            let (id, uid_validity) = Tree::make(&mut tree.made);
            let name = name(&format!("z{n:05}"));
            tree.folders.folders.push(Folder { id, name, uid_validity, subscribed: false, special_use: None });
        }
        assert!(matches!(tree.create("zz"), Err(Error::Limit(_))));
        tree.edit(FolderChange::Delete { name: name("z00100") }).unwrap();
        assert!(matches!(tree.create("zz/zz"), Err(Error::Limit(_))), "the parent alone would fit");
        tree.create("zz").unwrap();
    }

    #[test]
    fn names_alone_can_be_subscribed_to_up_to_the_limit() {
        let mut tree = Tree::new();
        tree.folders.subscribed_names = (0..Folders::MAX_FOLDERS).map(|n| name(&format!("s{n:05}"))).collect();
        let subscribe = |text: &str| FolderChange::Subscribe { name: name(text), subscribed: true };
        assert!(matches!(tree.edit(subscribe("t")), Err(Error::Limit(_))));
        tree.edit(subscribe("s00000")).unwrap();
    }

    #[test]
    fn a_rename_that_would_make_a_child_name_too_long_changes_nothing() {
        let mut tree = Tree::new();
        tree.create("a/child").unwrap();
        let long = "b".repeat(FolderName::MAX_OCTETS - "/child".len() + 1);
        assert!(matches!(tree.rename("a", &long), Err(Error::Invalid(_))));
        assert_eq!(tree.names(), ["a", "a/child"]);
        tree.rename("a", &long[1..]).unwrap();
        assert_eq!(tree.names(), [&long[1..], &format!("{}/child", &long[1..])]);
    }

    #[test]
    fn a_name_subscribed_to_is_subscribed_when_its_folder_comes() {
        let mut tree = Tree::new();
        tree.create("a/b").unwrap();
        for text in ["new/b", "other"] {
            tree.edit(FolderChange::Subscribe { name: name(text), subscribed: true }).unwrap();
        }
        tree.rename("a", "new").unwrap();
        tree.create("other").unwrap();
        let subscribed = |text| tree.folders.by_name(&name(text)).unwrap().subscribed;
        assert_eq!((subscribed("new"), subscribed("new/b"), subscribed("other")), (false, true, true));
        assert!(tree.folders.subscribed_names.is_empty());
    }

    #[test]
    fn siblings_with_a_common_beginning_are_not_children() {
        let mut tree = Tree::new();
        for text in ["ab", "a", "a/c", "a-b"] {
            tree.create(text).unwrap();
        }
        tree.rename("a", "z").unwrap();
        assert_eq!(tree.names(), ["a-b", "ab", "z", "z/c"]);
    }
}
