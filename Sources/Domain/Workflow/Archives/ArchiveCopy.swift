/// The copy of an archive's study that this server fetches, holds for a while and lets go: how far that is. One for
/// each study that was ever fetched, so that a study that comes back has the id it had.
package struct ArchiveCopy: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// To be fetched, from ``ArchiveCopy/nextAt`` on.
        case waiting
        /// Being fetched.
        case running
        /// All of it is here, as the archive had it when it was asked last.
        case whole
        /// Given up after as many attempts as there may be; the next who asks for it begins anew.
        case failed
        /// Its instances are being removed.
        case leaving
        /// Nothing of it is here any more.
        case left
    }

    package var studyInstanceUID: String
    /// The AE title of the archive.
    package var archive: String
    package var state: State
    /// Attempts since somebody asked for it.
    package var attempts: Int
    package var requestedAt: UTCInstant
    /// When the next attempt may begin.
    package var nextAt: UTCInstant
    /// When the last attempt ended; nil before that.
    package var endedAt: UTCInstant?
    /// When the archive was last found to have what is here.
    package var checkedAt: UTCInstant
    /// When it was last retrieved from here.
    package var usedAt: UTCInstant
    /// Instances that the archive says the study has; 0 where it does not say.
    package var expected: Int
    /// Instances of it that are here and not this server's own, when an attempt last ended.
    package var instances: Int
    /// Their bytes.
    package var bytes: Int64
    /// Why the last attempt failed, or what of it was refused here; without values of patients.
    package var failure: String?
    /// The id that the study had when it left.
    package var studyID: EntityID?
    /// The rule that had it fetched before anybody asked for it, and why; nil for one that somebody asked for. Those that
    /// somebody asks for go before.
    package var reason: String?

    package init(
        studyInstanceUID: String, archive: String, state: State = .waiting, attempts: Int = 0,
        requestedAt: UTCInstant, nextAt: UTCInstant, endedAt: UTCInstant? = nil, checkedAt: UTCInstant,
        usedAt: UTCInstant, expected: Int = 0, instances: Int = 0, bytes: Int64 = 0, failure: String? = nil,
        studyID: EntityID? = nil, reason: String? = nil
    ) {
        self.reason = reason
        self.studyInstanceUID = studyInstanceUID
        self.archive = archive
        self.state = state
        self.attempts = attempts
        self.requestedAt = requestedAt
        self.nextAt = nextAt
        self.endedAt = endedAt
        self.checkedAt = checkedAt
        self.usedAt = usedAt
        self.expected = expected
        self.instances = instances
        self.bytes = bytes
        self.failure = failure
        self.studyID = studyID
    }

    /// One that somebody asks for now.
    package init(of studyInstanceUID: String, at archive: String, expected: Int, now: UTCInstant) {
        self.init(
            studyInstanceUID: studyInstanceUID, archive: archive, requestedAt: now, nextAt: now, checkedAt: now,
            usedAt: now, expected: expected)
    }

    // MARK: What becomes of it

    /// Somebody asks for it again: one that is on its way stays so, any other is fetched from now on.
    ///
    /// - Parameter reason: the rule that has it fetched; nil for somebody who waits.
    package mutating func request(at archive: String, expected: Int, reason: String? = nil, now: UTCInstant) {
        usedAt = max(usedAt, now)
        switch state {
        case .waiting, .running:
            if reason == nil { self.reason = nil }
            return
        case .whole, .failed, .leaving, .left: break
        }
        self.reason = reason
        self.archive = archive
        self.expected = expected
        state = .waiting
        attempts = 0
        requestedAt = now
        nextAt = now
    }

    /// An attempt begins.
    package mutating func begin() {
        state = .running
        attempts += 1
    }

    /// An attempt was broken off by the end of the server: it does not count, and the next may begin at once.
    package mutating func breakOff(now: UTCInstant) {
        guard state == .running else { return }
        state = .waiting
        attempts = max(0, attempts - 1)
        nextAt = now
    }

    /// An attempt has ended. What it has brought stays; what is lacking is asked for again, each time later.
    package mutating func end(_ end: FetchEnd, of rule: FetchRule, now: UTCInstant) {
        endedAt = now
        switch end {
        case .whole(let note):
            state = .whole
            checkedAt = now
            failure = note.map(DeliveryPolicy.cut)
        case .failed(let why, let mayBeRepeated):
            failure = DeliveryPolicy.cut(why)
            guard mayBeRepeated, attempts < rule.attemptsMax else {
                state = .failed
                return
            }
            state = .waiting
            nextAt = now.advanced(bySeconds: rule.pause(after: attempts))
        }
    }
}

/// How one attempt to fetch a study ended. Texts are for an operator and hold no values of patients.
package enum FetchEnd: Sendable, Hashable {
    /// All that the archive has is here, but for what was refused here for good, of which the text tells.
    case whole(String?)
    case failed(String, mayBeRepeated: Bool)
}

/// When a fetch is tried again, and how much there may be of them.
package struct FetchRule: Sendable, Hashable {
    /// Attempts until nobody tries any more.
    package var attemptsMax = 5
    /// Seconds before the second attempt; twice as long before each further one.
    package var retrySeconds: Int64 = 5
    /// Seconds between two attempts at most.
    package var retrySecondsMax: Int64 = 600
    /// Seconds for which a study that was given up is left alone, however often it is asked for.
    package var restSeconds: Int64 = 60
    /// Fetches at a time, of one archive and of all.
    package var perArchiveMax = 2
    package var runningMax = 8
    /// Fetches at a time that nobody waits for: they leave a place free, of their archive and of all, where there are two.
    package var prefetchesMax = 1
    /// Studies that may wait.
    package var waitingMax = 1_000
    /// Of one study: its instances, their bytes, and the seconds of an attempt.
    package var instancesMax = 100_000
    package var bytesMax: Int64 = 256 << 30
    package var seconds = 3_600
    /// Seconds for which a copy is taken to be what the archive has.
    package var freshSeconds: Int64 = 300
    /// Seconds for which an archive's word on a study is remembered.
    package var rememberedSeconds: Int64 = 5
    /// Seconds for which a request that cannot be answered in part waits for a fetch.
    package var waitSeconds = 20

    package init() {}

    /// Seconds after so many failed attempts.
    package func pause(after attempts: Int) -> Int64 {
        min(retrySecondsMax, retrySeconds << Int64(min(max(attempts, 1) - 1, 20)))
    }
}
