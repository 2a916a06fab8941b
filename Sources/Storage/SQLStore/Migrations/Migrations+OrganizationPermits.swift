extension Migrations {
    /// Who works for an organization at a time, and organizations that a refusal to all lets pass: in the tables that there
    /// are. What is kept already says nothing of either until the upkeep has read it once more.
    static func organizationPermits(_ number: Int) -> Migration {
        Migration(
            number, "organization permits",
            ["CREATE INDEX care_actors_works ON care_actors (person, actor, since, until) WHERE is_member = 2"],
            rebuild: { connection in
                let upkeep = UpkeepTable(connection: connection)
                for name in [UpkeepTable.Name.indexForm, .reindexedForm] { try upkeep.set(name, 0) }
            })
    }
}
