import HL7v2

/// The order that the demo plays: who, what, when, and under which numbers. Every name in it is invented.
package struct DemoOrder: Sendable, Hashable {
    // The identifier systems that `hilum init` writes into the site profile.
    package static let patientSystem = "urn:hilum:site:mrn"
    package static let patientNamespace = "HOSP"
    package static let accessionSystem = "urn:hilum:site:accession"
    package static let accessionNamespace = "RIS"

    package static let modalityTitle = "DEMO_CT"
    package static let workstationTitle = "DEMO_WS"
    package static let sendingApplication = "DEMO_EHR"
    package static let sendingFacility = "HOSP"

    package static let patientID = "DEMO-4711"
    /// Family and given name.
    package static let patientName = ["DEMO", "PHANTOM"]
    package static let placerNumber = "DEMO-P-1001"
    /// Names the order, and later its report.
    package static let fillerNumber = "DEMO-F-2002"
    package static let accessionNumber = "DEMO-A-3003"
    /// What the stray series says by mistake.
    package static let wrongAccessionNumber = "DEMO-A-9999"
    package static let requestedProcedureID = "DEMO-RP-1"
    package static let stepID = "DEMO-SPS-1"
    package static let studyInstanceUID = PhantomSeries.uid("study of \(accessionNumber)")
    package static let strayStudyInstanceUID = PhantomSeries.uid("study of \(wrongAccessionNumber)")

    /// When the demo began, in seconds since 1970.
    package let begin: Int
    /// Minutes that the site's clock is ahead of UTC.
    package let offsetMinutes: Int

    package init(begin: Int, offsetMinutes: Int) {
        self.begin = begin
        self.offsetMinutes = offsetMinutes
    }

    /// The site's clock so many minutes after the begin.
    package func clock(minutes: Int = 0) -> Timestamp {
        var stamp = Timestamp(utcEpochSeconds: begin + (minutes + offsetMinutes) * 60)
        stamp.offsetMinutes = offsetMinutes
        return stamp
    }

    /// DA of the day, for the worklist and the images.
    package var date: String { String(decoding: clock().bytes.prefix(8), as: UTF8.self) }
    /// TM of the begin.
    package var time: String { String(decoding: clock().bytes.dropFirst(8).prefix(6), as: UTF8.self) }
}
