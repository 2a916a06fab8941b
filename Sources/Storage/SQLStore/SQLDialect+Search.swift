extension SQLDialect {
    /// Written before a column in a condition that looks at the entries of one version.
    ///
    /// SQLite takes an index on the value for such a condition and reads far more than the few entries of the version
    /// that the primary key leads to; a plus sign keeps the column out of its choice. PostgreSQL goes by statistics.
    var probeMark: String {
        switch self {
        case .sqlite: "+"
        case .postgreSQL: ""
        }
    }
}
