package registry.it.cluster;

/** What a {@link TroubleMaker} does to a cluster. */
enum Trouble {
    KILL_LEADER(true),
    KILL_FOLLOWER(true),
    KILL_CLIENT(true),
    KILL_ALL(false),
    FREEZE_LEADER(true),
    FREEZE_ANY(true),
    CUT_OFF_LEADER(true),
    CUT_OFF_FOLLOWER_AND_CLIENT(true),
    /** One node hears nobody, but all hear it. */
    DEAF(true),
    /** Nobody hears one node, but it hears all. */
    MUTE(true),
    /** Two servers no longer reach each other in one direction; all else is well. */
    ONE_WAY(true),
    /** A fifth of all packets each way. */
    LOSS(true),
    /** All of one server is some tenths of a second late, both ways. */
    DELAY(true),
    FULL_DISK(true),
    /** The time of day is wrong on some nodes, by up to a day, and stays so. */
    WRONG_CLOCKS(true),
    POWER_CUT_OF_ONE(true),
    POWER_CUT_OF_ALL(false);

    /** Whether the others must go on writing meanwhile. */
    private final boolean othersGoOn;

    Trouble(boolean othersGoOn) {
        this.othersGoOn = othersGoOn;
    }

    boolean othersGoOn() {
        return othersGoOn;
    }

    /** Whether a cluster has it that was not made for it. */
    boolean isEverywhere() {
        return this != WRONG_CLOCKS;
    }

    /** Whether its victims are to be called dead, when it lasts long enough. */
    boolean makesSilent() {
        return switch (this) {
            case KILL_LEADER,
                    KILL_FOLLOWER,
                    KILL_CLIENT,
                    FREEZE_LEADER,
                    FREEZE_ANY,
                    CUT_OFF_LEADER,
                    CUT_OFF_FOLLOWER_AND_CLIENT,
                    POWER_CUT_OF_ONE ->
                    true;
            case KILL_ALL,
                    DEAF,
                    MUTE,
                    ONE_WAY,
                    LOSS,
                    DELAY,
                    FULL_DISK,
                    WRONG_CLOCKS,
                    POWER_CUT_OF_ALL ->
                    false;
        };
    }
}
