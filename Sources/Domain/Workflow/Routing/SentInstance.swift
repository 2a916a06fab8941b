/// An instance that a destination has taken and is to say of whether it keeps it for good. PS3.4 §J.3.
package struct SentInstance: Sendable, Hashable {
    /// Class and instance as the destination knows them: not ours where what is sent is de-identified.
    package struct Reference: Sendable, Hashable {
        package let sopClassUID: String
        package let sopInstanceUID: String
        package init(sopClassUID: String, sopInstanceUID: String) {
            self.sopClassUID = sopClassUID
            self.sopInstanceUID = sopInstanceUID
        }
    }

    /// Which instance of ours, where, and how often it was sent before.
    package let forwarded: ForwardedInstance
    package let reference: Reference
    package let sentAt: UTCInstant

    package init(_ forwarded: ForwardedInstance, as reference: Reference, at sentAt: UTCInstant) {
        self.forwarded = forwarded
        self.reference = reference
        self.sentAt = sentAt
    }

    /// The same instance, to be sent or asked for once more.
    package var again: ForwardedInstance {
        ForwardedInstance(
            destination: forwarded.destination, studyInstanceUID: forwarded.studyInstanceUID,
            seriesInstanceUID: forwarded.seriesInstanceUID, sopInstanceUID: forwarded.sopInstanceUID,
            tries: forwarded.tries + 1)
    }
}

/// What was sent of one study to one destination and is not asked for yet.
package struct UnaskedStudy: Sendable, Hashable {
    /// When one is asked for; any of these is enough.
    package struct Due: Sendable, Hashable {
        /// Nothing of it was sent since.
        package let quietSince: UTCInstant
        /// Something of it was sent before.
        package let waitingSince: UTCInstant
        /// So many instances or more.
        package let count: Int

        package init(quietSince: UTCInstant, waitingSince: UTCInstant, count: Int) {
            self.quietSince = quietSince
            self.waitingSince = waitingSince
            self.count = count
        }

        package func isMet(by study: UnaskedStudy) -> Bool {
            study.newest <= quietSince || study.oldest <= waitingSince || study.count >= count
        }
    }

    package let destination: String
    package let studyInstanceUID: String
    package let count: Int
    package let oldest: UTCInstant
    package let newest: UTCInstant

    package init(
        destination: String, studyInstanceUID: String, count: Int, oldest: UTCInstant, newest: UTCInstant
    ) {
        self.destination = destination
        self.studyInstanceUID = studyInstanceUID
        self.count = count
        self.oldest = oldest
        self.newest = newest
    }
}
