/// The form of what is written into the database, which every process that has it open heeds, whatever its own
/// configuration said when it was started: a row of `body_walks` whose name is no column's. Decision 0051.
///
/// - Where it says sealed, no commit since has put a clear value there: a process looks at it in each transaction before
///   which another process has committed, and seals from then on.
/// - Where it says clear, none has put a sealed one there: who was started to seal does not lay open what it writes on a
///   database's word, but has the row say sealed again, in the same commit.
struct BodyFormTable {
    struct Form: Equatable {
        var seals: Bool
        /// Whether all that lies there is known to have this form.
        var isEven: Bool
    }

    let connection: any SQLConnection

    /// The row's name, beside those of ``SealedColumn``.
    static let name = "*"

    /// Nil where bodies were never sealed, or by a program of before alone.
    func form() throws -> Form? {
        try connection.first("SELECT seals, is_done FROM body_walks WHERE name = ?", [.text(Self.name)]) {
            Form(seals: try $0.bool(0), isEven: try $0.bool(1))
        }
    }

    /// Within a transaction that no other writer can come between.
    func put(_ form: Form) throws {
        try connection.run(
            """
            INSERT INTO body_walks (name, seals, place, is_done) VALUES (?, ?, NULL, ?) \
            ON CONFLICT (name) DO UPDATE SET seals = excluded.seals, is_done = excluded.is_done
            """, [.text(Self.name), SQLValue(form.seals), SQLValue(form.isEven)])
    }

    /// Has what is written from now on be of another form, and the walks that were begun for the one before begin anew:
    /// rows that they have passed may be written in this one, and it may be switched back before anybody walks.
    func turn(seals: Bool, isEven: Bool = false) throws {
        try put(Form(seals: seals, isEven: isEven))
        try BodyWalkTable(connection: connection).turn(seals: seals)
    }

    /// At the beginning of a transaction that no other writer can come between: what is written in it, and by this process
    /// until another one has committed, has the form that the row says, or says it. The name of the key that seals is noted
    /// in the same commit as what is first sealed under it.
    /// - Parameters:
    ///   - isFresh: whether nothing was ever committed.
    ///   - now: microseconds since 1970 UTC.
    /// Throws `.unopened` where bodies are sealed and the store's keys cannot be had.
    func heed(_ ring: BodyRing, isFresh: Bool, now: () -> Int64) throws {
        let known = try form()
        let seals = ring.isAsked || known?.seals == true
        // What touches no body seals none, and is not asked for keys before it does.
        if seals, ring.needsKeys {
            if known?.seals != true { try turn(seals: true, isEven: isFresh) }
            try BodyKeyTable(connection: connection).note(try ring.current().id, now: now)
        }
        ring.heed(seals: seals)
    }
}
