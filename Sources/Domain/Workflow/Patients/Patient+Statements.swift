/// Who states a value of a patient's record.
enum StatementSource: Sendable, Hashable {
    /// A registration or update event.
    case registration
    /// An order or result that names the patient in passing.
    case mention
}

extension Patient {
    /// Takes what an event states: of each value the newest statement stands, a registration's before any other.
    mutating func take(_ update: PatientUpdate, from source: StatementSource, in unit: any UnitOfWork) {
        let isNew = identifiers.isEmpty
        for identifier in update.identifiers where !identifiers.contains(where: { $0.matches(identifier) }) {
            identifiers.append(identifier)
        }
        var taker = StatementTaker(patient: self, isNew: isNew, source: source, unit: unit, time: update.eventTime)
        let described = update.identifiers.filter { $0.details != nil }
        if taker.admits(described.isEmpty ? .keep : .set(described), .identifierDetails) {
            for identifier in described {
                guard let index = identifiers.firstIndex(where: { $0.matches(identifier) }) else { continue }
                identifiers[index].details = identifier.details
            }
        }
        if taker.admits(update.names, .names) { names = update.names.applied(to: names) ?? [] }
        if taker.admits(update.aliases, .aliases) { aliases = update.aliases.applied(to: aliases) ?? [] }
        if taker.admits(update.birthDate, .birthDate) { birthDate = update.birthDate.applied(to: birthDate) }
        if taker.admits(update.sex, .sex) { sex = update.sex.applied(to: sex) }
        if taker.admits(update.addresses, .addresses) { addresses = update.addresses.applied(to: addresses) ?? [] }
        if taker.admits(update.homeTelecoms, .homeTelecoms) {
            telecomsByField.home = update.homeTelecoms.applied(to: nil) ?? []
        }
        if taker.admits(update.workTelecoms, .workTelecoms) {
            telecomsByField.work = update.workTelecoms.applied(to: nil) ?? []
        }
        if taker.admits(update.maritalStatus, .maritalStatus) {
            maritalStatus = update.maritalStatus.applied(to: maritalStatus)
        }
        if taker.admits(update.language, .language) { language = update.language.applied(to: language) }
        takeDeath(update, &taker)
        takeFurther(update, &taker, in: unit)
        registered = taker.registered
        mentioned = taker.mentioned
        if source == .registration, let time = update.eventTime {
            eventTime = max(time, unit.comparable(eventTime) ?? time)
        }
    }

    /// PID-29 and PID-30 tell of one thing: who is not dead has no time of death, who has one is dead.
    private mutating func takeDeath(_ update: PatientUpdate, _ taker: inout StatementTaker) {
        var date = update.deceasedAt
        var flag = update.isDeceased
        switch (flag, date) {
        case (.set(false), _), (.clear, .keep): date = .clear
        case (.keep, .set): flag = .set(true)
        default: break
        }
        if taker.admits(flag, .isDeceased) { isDeceased = flag.applied(to: isDeceased) }
        if taker.admits(date, .deceasedAt) { deceasedAt = date.applied(to: deceasedAt) }
    }
}

extension Patient {
    /// The values that are stated one by one.
    enum Stated: String, CaseIterable {
        case names, aliases, birthDate, sex, addresses, homeTelecoms, workTelecoms, maritalStatus, language
        case isDeceased, deceasedAt, identifierDetails
    }
}

/// Decides, value by value, whether a statement stands, and keeps the times.
struct StatementTaker {
    let source: StatementSource
    let time: UTCInstant?
    private(set) var registered: StatedTimes?
    private(set) var mentioned: StatedTimes?

    init(patient: Patient, isNew: Bool, source: StatementSource, unit: any UnitOfWork, time: UTCInstant?) {
        self.source = source
        self.time = time
        registered = patient.registered
        mentioned = patient.mentioned
        if isNew {
            registered = StatedTimes()
        } else if registered == nil {
            // A client or an earlier version made the record: its one time is that of all its values.
            var times = StatedTimes()
            for name in Patient.Stated.allCases {
                times.note(unit.comparable(patient.eventTime) ?? .distantPast, for: name.rawValue)
            }
            registered = times
        }
    }

    mutating func admits<Value>(_ change: Change<Value>, _ value: Patient.Stated) -> Bool {
        change != .keep && admits(value.rawValue)
    }

    /// Whether a statement of what goes by this name stands.
    mutating func admits(_ name: String) -> Bool {
        switch source {
        case .registration:
            var times = registered ?? StatedTimes()
            guard times.admits(time, for: name) else { return false }
            // A statement without any time still outranks mentions.
            times.note(time ?? .distantPast, for: name)
            registered = times
        case .mention:
            var times = mentioned ?? StatedTimes()
            guard registered?[name] == nil, times.admits(time, for: name) else { return false }
            times.note(time ?? .distantPast, for: name)
            mentioned = times
        }
        return true
    }

    /// Takes what goes by this name as registered then, where nobody knows when it was stated: an earlier version or a
    /// client has kept it.
    mutating func assume(_ time: UTCInstant, of name: String) {
        guard registered?[name] == nil, mentioned?[name] == nil else { return }
        var times = registered ?? StatedTimes()
        times.note(time, for: name)
        registered = times
    }
}
