// The abstract message definitions of the messages that are carried out. Facts of HL7 v2.5.1 chapters 3, 4 and 7 with
// what 2.2 to 2.4 and 2.6 to 2.8 add (ARV, CON, PRT, UAC), and what senders are seen to put beside it: notes after ORC,
// TQ1 and IPC in ORM, TQ1 before OBR and behind it, DG1 and AL1 in ORU.

extension MessageStructure {
    /// The definition for a message; nil for one that is not carried out. By code and event: MSH-9.3 is often missing,
    /// and wrong where it is not.
    package static func named(code: String, event: String) -> MessageStructure? {
        switch code {
        case "ADT": event == "A40" ? adtMerge : adt
        case "ORM" where event == "O01": orm
        case "OMG" where event == "O19": omg
        case "OMI" where event == "O23": omi
        case "ORU" where event == "R01": oru
        default: nil
        }
    }

    private static let header = "MSH SFT* UAC? NTE*"
    private static let visit = "PATIENT_VISIT?(PV1 PV2? PRT* ROL*)"
    private static let insurance = "INSURANCE*(IN1 IN2? IN3* AUT* RF1*)"
    private static let patient =
        "PATIENT?(PID PD1? ARV* PRT* NTE* NK1* \(visit) \(insurance) GT1? AL1* OBX*)"
    private static let timing = "TIMING*(TQ1 TQ2*)"
    private static let specimen = "SPECIMEN*(SPM SAC* OBX*)"

    /// ADT_A01 to ADT_A13, A28, A31: one patient, one visit. §3.3.
    static let adt = MessageStructure(
        "ADT_A01",
        """
        \(header) EVN? PID PD1? ARV* NK1* PV1? PV2? PRT* ROL* DB1* OBSERVATION*(OBX PRT* NTE*) AL1* IAM* DG1* DRG?
        PROCEDURE*(PR1 ROL*) GT1* INSURANCE*(IN1 IN2? IN3* AUT* RF1*) ACC? UB1? UB2? PDA?
        """)

    /// ADT_A39 (A40): pairs of PID and MRG. §3.3.40.
    static let adtMerge = MessageStructure(
        "ADT_A39", "\(header) EVN? PATIENT+(PID PD1? ARV* NTE* MRG PV1?)")

    /// ORM_O01. §4.4.1.
    static let orm = MessageStructure(
        "ORM_O01",
        """
        \(header) \(patient)
        ORDER+(ORC? TQ1* ORDER_DETAIL(OBR TQ1* IPC* NTE* PRT* CTD? DG1* OBSERVATION*(OBX PRT* NTE*)) NTE* FT1* CTI* BLG?)
        """)

    /// OMG_O19. §4.4.4. PRIOR_RESULT begins with a PID of its own, with an ORC of a previous result (`PR`), or with an
    /// OBR that has the state or time of a result and no ORC before it: everything else that begins with ORC or OBR is
    /// the next order.
    static let omg = MessageStructure(
        "OMG_O19",
        """
        \(header) \(patient)
        ORDER+(ORC? \(timing) OBR TQ1* IPC* NTE* PRT* CTD? DG1* OBSERVATION*(OBX PRT* NTE*) \(specimen)
            PRIOR_RESULT*(PATIENT_PRIOR?(PID PD1? NTE*) PATIENT_VISIT_PRIOR?(PV1 PV2?) AL1*
                ORDER_PRIOR+(ORC? OBR NTE* TIMING_PRIOR*(TQ1 TQ2*) OBSERVATION_PRIOR*(OBX PRT* NTE*)))
            FT1* CTI* BLG?)
        """
    ) { group, segment in
        switch (group, segment.id) {
        case ("ORDER", "ORC"): segment[1].text != "PR"
        case ("PRIOR_RESULT", "ORC"): segment[1].text == "PR"
        case ("PRIOR_RESULT", "OBR"): segment[25].isValued || segment[22].isValued
        case ("ORDER_PRIOR", "ORC"): [nil, "PR", "RE"].contains(segment[1].text)
        default: true
        }
    }

    /// OMI_O23. §4.4.16.
    static let omi = MessageStructure(
        "OMI_O23",
        """
        \(header) \(patient)
        ORDER+(ORC? \(timing) OBR NTE* PRT* CTD? DG1* OBSERVATION*(OBX PRT* NTE*) IPC*)
        """)

    /// ORU_R01. §7.3.1.
    static let oru = MessageStructure(
        "ORU_R01",
        """
        \(header)
        PATIENT_RESULT+(\(patient)
            ORDER_OBSERVATION+(ORC? OBR NTE* PRT* TIMING_QTY*(TQ1 TQ2*) CTD? DG1*
                OBSERVATION*(OBX PRT* NTE*) FT1* CTI* \(specimen)))
        """)
}
