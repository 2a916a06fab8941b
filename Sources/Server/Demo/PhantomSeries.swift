import DICOMData

/// What the modality took from the worklist, and writes into every object of the study. IHE RAD-8.
package struct PhantomStudy: Sendable, Hashable {
    package var studyInstanceUID: String
    /// PN text.
    package var patientName: String
    package var patientID: String
    package var issuerOfPatientID: String
    /// DA.
    package var patientBirthDate: String
    package var patientSex: String
    package var accessionNumber: String
    package var issuerOfAccessionNumber: String
    /// PN text.
    package var referringPhysicianName: String
    package var description: String
    package var requestedProcedureID: String
    package var scheduledProcedureStepID: String
    /// DA and TM of the study, series and images.
    package var date: String
    package var time: String

    package init(
        studyInstanceUID: String, patientName: String, patientID: String, issuerOfPatientID: String,
        patientBirthDate: String, patientSex: String, accessionNumber: String, issuerOfAccessionNumber: String,
        referringPhysicianName: String, description: String, requestedProcedureID: String,
        scheduledProcedureStepID: String, date: String, time: String
    ) {
        self.studyInstanceUID = studyInstanceUID
        self.patientName = patientName
        self.patientID = patientID
        self.issuerOfPatientID = issuerOfPatientID
        self.patientBirthDate = patientBirthDate
        self.patientSex = patientSex
        self.accessionNumber = accessionNumber
        self.issuerOfAccessionNumber = issuerOfAccessionNumber
        self.referringPhysicianName = referringPhysicianName
        self.description = description
        self.requestedProcedureID = requestedProcedureID
        self.scheduledProcedureStepID = scheduledProcedureStepID
        self.date = date
        self.time = time
    }
}

/// A CT series of the phantom: its data sets, made when asked for. PS3.3 §A.3 (CT Image IOD).
package struct PhantomSeries: Sendable, Hashable {
    package let study: PhantomStudy
    package let number: Int
    package let description: String
    package let phantom: CTPhantom
    package let seriesInstanceUID: String

    package init(of study: PhantomStudy, number: Int, description: String, phantom: CTPhantom) {
        self.study = study
        self.number = number
        self.description = description
        self.phantom = phantom
        seriesInstanceUID = Self.uid("series \(number) of \(study.studyInstanceUID)")
    }

    package var sliceCount: Int { phantom.sliceCount }

    package func sopInstanceUID(ofSlice slice: Int) -> String { Self.uid("slice \(slice) of \(seriesInstanceUID)") }

    /// A UID that a name always gives: the 128 bits of a UUID of version 8 under 2.25. PS3.5 §B.2, RFC 9562 §5.8.
    package static func uid(_ name: String) -> String {
        var generator = PhantomNoise(seed: PhantomNoise.seed(name))
        let high = generator.next() & ~0xF000 | 0x8000
        let low = generator.next() & ~(0xC0 << 56) | 0x80 << 56
        return "2.25.\(UInt128(high) << 64 | UInt128(low))"
    }

    /// The data set of a slice, from 0, pixel data included.
    package func dataSet(ofSlice slice: Int) -> DataSet {
        var set = DataSet()
        set.set(.specificCharacterSet, string: "ISO_IR 192")
        patientAndStudy(&set)
        seriesAndEquipment(&set)
        image(&set, slice: slice)
        set.set(.pixelData, .OW, bytes: phantom.pixels(ofSlice: slice))
        return set
    }

    private func patientAndStudy(_ set: inout DataSet) {
        set.set(.studyDate, string: study.date)
        set.set(.studyTime, string: study.time)
        set.set(.accessionNumber, string: study.accessionNumber)
        var issuer = DataSet()
        issuer.set(.localNamespaceEntityID, string: study.issuerOfAccessionNumber)
        set.set(.issuerOfAccessionNumberSequence, items: [issuer])
        set.set(.referringPhysicianName, string: study.referringPhysicianName)
        set.set(.studyDescription, string: study.description)
        set.set(.patientName, string: study.patientName)
        set.set(.patientID, string: study.patientID)
        set.set(.issuerOfPatientID, string: study.issuerOfPatientID)
        set.set(.patientBirthDate, string: study.patientBirthDate)
        set.set(.patientSex, string: study.patientSex)
        set.set(.studyInstanceUID, string: study.studyInstanceUID)
        set.set(.studyID, string: study.requestedProcedureID)
        var request = DataSet()
        request.set(.requestedProcedureID, string: study.requestedProcedureID)
        request.set(.scheduledProcedureStepID, string: study.scheduledProcedureStepID)
        set.set(.requestAttributesSequence, items: [request])
    }

    private func seriesAndEquipment(_ set: inout DataSet) {
        set.set(.modality, string: "CT")
        set.set(.seriesInstanceUID, string: seriesInstanceUID)
        set.set(.seriesNumber, int: number)
        set.set(.seriesDescription, string: description)
        set.set(.seriesDate, string: study.date)
        set.set(.seriesTime, string: study.time)
        set.set(.bodyPartExamined, string: "CHEST")
        set.set(.patientPosition, string: "HFS")
        set.set(.frameOfReferenceUID, string: Self.uid("frame of \(study.studyInstanceUID)"))
        set.setEmpty(.positionReferenceIndicator)
        set.set(.manufacturer, string: "Hilum")
        set.set(.manufacturerModelName, string: "Ellipsoid phantom")
        set.set(.stationName, string: "DEMO_CT")
    }

    private func image(_ set: inout DataSet, slice: Int) {
        let side = CTPhantom.side
        let corner = -Double(side - 1) / 2 * CTPhantom.pixelSpacing
        set.set(.imageType, strings: ["DERIVED", "SECONDARY", "AXIAL"])
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: sopInstanceUID(ofSlice: slice))
        set.set(.instanceNumber, int: slice + 1)
        set.setEmpty(.acquisitionNumber)
        set.set(.contentDate, string: study.date)
        set.set(.contentTime, string: study.time)
        set.set(.sliceThickness, double: phantom.sliceSpacing)
        set.setEmpty(.kvp)
        set.set(.imagePositionPatient, doubles: [corner, corner, phantom.position(ofSlice: slice)])
        set.set(.imageOrientationPatient, ints: [1, 0, 0, 0, 1, 0])
        set.set(.pixelSpacing, doubles: [CTPhantom.pixelSpacing, CTPhantom.pixelSpacing])
        set.set(.samplesPerPixel, int: 1)
        set.set(.photometricInterpretation, string: "MONOCHROME2")
        set.set(.rows, int: side)
        set.set(.columns, int: side)
        set.set(.bitsAllocated, int: 16)
        set.set(.bitsStored, int: 12)
        set.set(.highBit, int: 11)
        set.set(.pixelRepresentation, int: 0)
        set.set(.rescaleIntercept, int: -CTPhantom.offset)
        set.set(.rescaleSlope, int: 1)
        set.set(.rescaleType, string: "HU")
        set.set(.windowCenter, ints: [-600, 40])
        set.set(.windowWidth, ints: [1500, 400])
        set.set(.windowCenterWidthExplanation, strings: ["LUNG", "MEDIASTINUM"])
    }
}
