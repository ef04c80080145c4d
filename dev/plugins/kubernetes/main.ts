import { serve } from "../protocol/server";
import { kubernetesProvider } from "./provider";

serve(kubernetesProvider());
