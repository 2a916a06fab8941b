import HL7v2

/// Who the demo plays with, and the clock it plays by. Every name and number in it is invented.
package struct DemoSite: Sendable, Hashable {
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
    package static let visitNumber = "DEMO-V-77"
    /// Family and given name.
    package static let patientName = ["DEMO", "PHANTOM"]

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

    /// DA of that moment.
    package func date(minutes: Int = 0) -> String {
        String(decoding: clock(minutes: minutes).bytes.prefix(8), as: UTF8.self)
    }
    /// TM of that moment.
    package func time(minutes: Int = 0) -> String {
        String(decoding: clock(minutes: minutes).bytes.dropFirst(8).prefix(6), as: UTF8.self)
    }
}

/// The numbers of one imaging order.
package struct DemoOrder: Sendable, Hashable {
    package let placerNumber: String
    /// Names the order, and later its report.
    package let fillerNumber: String
    /// At most 16 characters, as all that end up in an SH value. PS3.5 §6.2.
    package let accessionNumber: String
    package let requestedProcedureID: String
    package let stepID: String
    /// Minutes from the demo's begin to the scheduled start.
    package let startMinutes: Int

    /// In the ORM's ZDS, and from there in the worklist and the images.
    package var studyInstanceUID: String { PhantomSeries.uid("study of \(accessionNumber)") }

    /// The order that goes all the way to its report.
    package static let scan = DemoOrder(
        placerNumber: "DEMO-P-1001", fillerNumber: "DEMO-F-2001", accessionNumber: "DEMO-A-3001",
        requestedProcedureID: "DEMO-RP-1", stepID: "DEMO-SPS-1", startMinutes: 0)
    /// An order for the next day: the worklist query must not return it, and it stays for the reader's own tries.
    package static let followUp = DemoOrder(
        placerNumber: "DEMO-P-1002", fillerNumber: "DEMO-F-2002", accessionNumber: "DEMO-A-3002",
        requestedProcedureID: "DEMO-RP-2", stepID: "DEMO-SPS-2", startMinutes: 24 * 60)
    /// What the stray series says by mistake: no order has it.
    package static let wrongAccessionNumber = "DEMO-A-9999"
    /// Of the study that only the old PACS has.
    package static let priorAccessionNumber = "DEMO-A-0007"
    package static let priorStudyInstanceUID = PhantomSeries.uid("study of \(priorAccessionNumber)")
    package static let strayStudyInstanceUID = PhantomSeries.uid("study of \(wrongAccessionNumber)")
}
