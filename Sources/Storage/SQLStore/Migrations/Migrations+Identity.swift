extension Migrations {
    /// Which store this database is: one row, made when the database is first opened by a program that knows of it.
    static let identity = Migration(
        7, "store identity",
        [
            """
            CREATE TABLE store_identity (id {int} PRIMARY KEY CHECK (id = 1), store {text} NOT NULL, tenure {text}, \
            master_key {text}) {table}
            """
        ])
}
