package registry.agent.config;

import java.util.Map;

/** What a key may hold. */
sealed interface Shape {
    /** Values without structure. */
    enum Scalar implements Shape {
        TEXT("text"),
        BOOL("true or false"),
        WHOLE("a whole number"),
        REAL("a number"),
        DURATION("a duration in quotes as in \"10s\""),
        /** -1 is off, 0 is unset. */
        PORT("a port from 1 to 65535, or -1 for off"),
        TEXT_LIST("a list of texts"),
        TEXT_MAP("an object of texts"),
        /** As headers have it: each name with a list of texts. */
        TEXT_LISTS("an object of lists of texts"),
        /** Accepted as it is: another part of the program looks at it, or nothing does. */
        ANYTHING("anything");

        private final String words;

        Scalar(String words) {
            this.words = words;
        }

        /** How a message says what was expected. */
        String words() {
            return words;
        }
    }

    /**
     * An object of known keys.
     *
     * @param aliases other spellings, by what they stand for
     */
    record Section(Map<String, Key> keys, Map<String, String> aliases) implements Shape {}

    /** A list of such objects. */
    record Sections(Section of) implements Shape {}

    /** An object whose names are free and whose values are such objects. */
    record SectionMap(Section of) implements Shape {}

    /** What happens to a key that was set. */
    enum Effect {
        /** It does what Consul's documentation says. */
        HONOURED,
        /**
         * Nothing to do: what it asks for holds anyway, or concerns a part of Consul that is none
         * of a registry's.
         */
        SETTLED,
        /** It changes nothing yet, harmlessly; the log says so. */
        WITHOUT_EFFECT,
        /** A feature that this version lacks and a user would miss: refused. */
        UNAVAILABLE,
        /**
         * A protection that this version lacks: refused, since accepting and ignoring it is the
         * worst of answers.
         */
        PROTECTION
    }

    /** A known key. */
    record Key(Shape shape, Effect effect) {}
}
