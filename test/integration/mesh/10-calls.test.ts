import { callsAnswer } from "../support/calls";

callsAnswer();
