/// What a site decides for the domain's rules, the same for every door.
package struct SiteRules: Sendable, Hashable {
    /// The identifier types (HL7 table 0203) that are record numbers: what identifies a patient. A patient identifier
    /// without a type is one too.
    package var recordNumberTypes: Set<String>
    /// How far a sender's clock may run ahead of this server's, in seconds, before its times are not believed.
    package var clockToleranceSeconds: Int64
    /// The clocks by which worklists are read; nil where the site has named no zone: times are shown as they were sent.
    package var clock: SiteClock?

    /// How an active order that a client states without an accession number gets one; nil leaves it without, and off
    /// the worklist.
    package var accessionNumbering: AccessionNumbering?

    package init(
        recordNumberTypes: Set<String> = SiteRules.recordNumberTypesDefault, clockToleranceSeconds: Int64 = 300,
        clock: SiteClock? = nil
    ) {
        self.clock = clock
        self.recordNumberTypes = recordNumberTypes
        self.clockToleranceSeconds = clockToleranceSeconds
    }

    /// Medical record number and internal patient number; MRN is what many senders write for the first.
    package static let recordNumberTypesDefault: Set<String> = ["MR", "PI", "MRN"]

    /// Types that several people may share or that name a document, a contract or a stay: they never identify a patient,
    /// not even where nothing else is given. HL7 v2.5.1 table 0203.
    package static let sharedTypes: Set<String> = [
        "AM", "AN", "ANC", "AND", "ANT", "BA", "BC", "BCT", "CC", "DI", "DL", "DS", "EI", "EN", "GI", "GN", "HC", "MA",
        "MB", "MC", "MCD", "MCR", "MCT", "MI", "NII", "NIIP", "PNT", "SN", "SS", "VN", "VS", "WC", "ACSN", "PLAC",
        "FILL", "NPI",
    ]
}

extension UnitContext {
    /// Whether a time that a sender gave lies further ahead than its clock may run.
    package func isAhead(_ time: UTCInstant?) -> Bool {
        guard let time else { return false }
        return time > self.time.advanced(bySeconds: rules.clockToleranceSeconds)
    }

    /// The time at which an event counts: as given, but what lies in the future counts as the time of its receipt, so
    /// that no wrong clock holds what comes later.
    package func credible(_ time: UTCInstant?) -> UTCInstant? { isAhead(time) ? self.time : time }

    /// A stored time to compare with: none where it lies in the future, as a store of an earlier version may hold it.
    func comparable(_ stored: UTCInstant?) -> UTCInstant? { isAhead(stored) ? nil : stored }
}
