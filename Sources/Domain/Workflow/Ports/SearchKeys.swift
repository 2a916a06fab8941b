/// An attribute that QIDO-RS or a C-FIND may match. PS3.18 Table 10.6.1-5, PS3.4 Table K.6-1.
package enum SearchKey: String, Sendable, Hashable, CaseIterable {
    case patientName, patientID, issuerOfPatientID, patientBirthDate, patientSex
    /// The `Identifier.system` that the patient's id must be of: an issuer as the site understands it.
    case patientIDSystem
    case studyDate, studyTime, accessionNumber, modalitiesInStudy, referringPhysicianName, studyInstanceUID, studyID
    case studyDescription
    case modality, seriesInstanceUID, seriesNumber, seriesDescription, bodyPartExamined
    case performedProcedureStepStartDate, performedProcedureStepStartTime
    case scheduledProcedureStepID, requestedProcedureID
    case sopClassUID, sopInstanceUID, instanceNumber
    case scheduledStationAETitle, scheduledStartDate, scheduledStartTime, scheduledPerformingPhysicianName
}

/// What the value of an attribute must be. PS3.4 §C.2.2.2.
package indirect enum KeyMatch: Sendable, Hashable {
    /// The very text; of IS the very number.
    case exact(String)
    /// `*` is any run of characters, `?` any one; case counts. §C.2.2.2.4.
    case wildcard(String)
    /// A name, with or without wildcards: case does not count, nor do components left empty at the end; it is the whole
    /// value or one of its component groups. §C.2.2.2.1.1.
    case name(String)
    /// A name by its words, as they are written or as they sound: ``NameWords``. §C.2.2.2.1.1.
    case similarName(String)
    /// Days, as DA digits, both ends included; an end that is nil is open. §C.2.2.2.5.1.
    case dates(from: String?, to: String?)
    /// Times of the day, as TM text in full (`HHMMSS.FFFFFF`), both ends included. §C.2.2.2.5.2.
    case times(from: String?, to: String?)
    /// Any one of these. §C.2.2.2.2, §C.2.2.2.8.
    case anyOf([KeyMatch])
    /// The attribute is absent or has no value. §C.2.2.2.7.
    case empty
}

/// A date key and its time key taken as one: from the first time of the first day to the last time of the last.
/// PS3.4 §C.2.2.2.5.4, Table K.6-1.
package struct SearchPeriod: Sendable, Hashable {
    /// A day and a time of that day, as in ``KeyMatch``.
    package struct Moment: Sendable, Hashable {
        package var date: String
        package var time: String
        package init(date: String, time: String) {
            self.date = date
            self.time = time
        }
    }
    package var date: SearchKey
    package var time: SearchKey
    /// Included; nil is open.
    package var from: Moment?
    package var to: Moment?
    package init(date: SearchKey, time: SearchKey, from: Moment?, to: Moment?) {
        self.date = date
        self.time = time
        self.from = from
        self.to = to
    }
}

/// Everything that one query asks of what it finds, whichever door it came through: all of it must hold. Keys of one
/// item of a sequence must hold for one and the same item. PS3.4 §C.2.2.2.6.
package struct SearchKeys: Sendable, Hashable {
    package var matches: [SearchKey: KeyMatch]
    package var periods: [SearchPeriod]
    package init(_ matches: [SearchKey: KeyMatch] = [:], periods: [SearchPeriod] = []) {
        self.matches = matches
        self.periods = periods
    }
    package subscript(key: SearchKey) -> KeyMatch? {
        get { matches[key] }
        set { matches[key] = newValue }
    }
    /// The text of a key that has one value and no wildcard.
    package func exact(_ key: SearchKey) -> String? {
        if case .exact(let text) = matches[key] { text } else { nil }
    }
}
